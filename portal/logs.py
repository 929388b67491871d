"""The log: one line per event, times in UTC with their offset, nothing of forms, tokens or answers."""

import datetime as dt
import logging
import sys
import traceback
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
    ]
    if log_format == "json":
        shared.append(_where_it_failed)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
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


def _where_it_failed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put in an exception's place its kinds and where it came from; its words may quote a form or a row."""
    failed = event.pop("exc_info", None)
    error = failed if isinstance(failed, BaseException) else sys.exc_info()[1] if failed else None
    kinds = []
    while error is not None:
        kinds.append(type(error).__name__)
        frames = traceback.extract_tb(error.__traceback__)
        event.setdefault("where", [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]])
        error = error.__cause__ or error.__context__
    if kinds:
        event["error"] = kinds
    return event


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    return event
