"""The log: one line per event, times in UTC with their offset, nothing of forms, tokens or answers."""

import datetime as dt
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_TOLD_BY_OURSELVES = ("_granian", "uvicorn.access", "httpx", "httpx2")


def configure(log_format: Literal["text", "json"] = "json", level: str = "info") -> None:
    """Write the log to standard error, for people or as JSON, ours and the libraries' alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp,
        structlog.processors.dict_tracebacks if log_format == "json" else structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _TOLD_BY_OURSELVES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    return event
