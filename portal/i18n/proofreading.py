"""What the source says against what the .po files translate, and every way in which they differ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file

from portal.i18n.catalogues import LOCALE, files, messages, read

SOURCE = Path(__file__).parents[1]
EXTENSIONS = "jinja2.ext.i18n,jinja2.ext.do"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy": None,
    "lazy_pgettext": ((1, "c"), 2),
}
SHARED = "common.po"

_NAMED_PLACE = re.compile(r"%\((\w+)\)[sd]")
_STRAY_PERCENT = re.compile(r"%(?!%|\(\w+\)[sd])")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a .po file: what, with which message, and where."""

    fault: str
    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.fault}: {self.message!r}"


def file_of(source: Path) -> str:
    """Name the .po file for a source file, relative to the portal's folder: a page's own, else the shared one.

    `templates/requests/list.html` and `pages/requests.py` go to `requests.po`; layout, macros and the rest of the
    code to `common.po`.
    """
    parts = source.with_suffix("").parts
    if len(parts) > 1 and parts[0] in {"templates", "pages"} and not parts[1].startswith("_"):
        return f"{parts[1]}.po"
    return SHARED


def extracted(source: Path = SOURCE) -> dict[str, Catalog]:
    """Collect every message in templates and Python files, by the .po file it belongs to.

    A message that several parts use belongs to the shared file.
    """
    by_key: dict[tuple[str, str | None], tuple[set[str], Message]] = {}
    for path in sorted([*source.rglob("*.html"), *source.rglob("*.txt"), *source.rglob("*.py")]):
        inside = path.relative_to(source)
        if inside.parts[0] in {"static", "locale", "i18n"}:
            continue
        for line, message_id, comments, context in _extract(path):
            key = (message_id if isinstance(message_id, str) else message_id[0], context)
            message = Message(message_id, locations=[(str(inside), line)], auto_comments=comments, context=context)
            homes, known = by_key.setdefault(key, (set(), message))
            homes.add(file_of(inside))
            if isinstance(message_id, tuple):
                known.id, known.string = message_id, ("", "")
    catalogs: dict[str, Catalog] = {}
    for homes, message in by_key.values():
        home = homes.pop() if len(homes) == 1 else SHARED
        catalogs.setdefault(home, Catalog())[message.id] = message
    return catalogs


def _extract(path: Path) -> list[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    if path.suffix == ".py":
        return extract_from_file("python", path, KEYWORDS, ["Translators:"])
    options = {"extensions": EXTENSIONS, "newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
    return extract_from_file("jinja2.ext:babel_extract", path, KEYWORDS, ["Translators:"], options)


def missing(language: str, wanted: dict[str, Catalog], folder: Path = LOCALE) -> dict[str, list[Message]]:
    """List the wanted messages without a translation in any of a language's files, by the file they should stand in."""
    known = {
        (_singular(message), message.context)
        for path in files(language, folder)
        for message in messages(read(path))
        if _translated(message)
    }
    lacking = {
        file: [message for message in messages(catalog) if (_singular(message), message.context) not in known]
        for file, catalog in sorted(wanted.items())
    }
    return {file: absent for file, absent in lacking.items() if absent}


def findings(language: str, source: Path = SOURCE, folder: Path = LOCALE) -> list[Finding]:
    """Proofread a language's files against the source.

    Reported: missing, empty and fuzzy translations; messages the source no longer has; two files translating one
    message differently; named places or stray per cent signs that would break when filled.
    """
    wanted = extracted(source)
    found = [
        Finding("missing", file, _singular(message))
        for file, absent in missing(language, wanted, folder).items()
        for message in absent
    ]
    used = {(_singular(message), message.context) for catalog in wanted.values() for message in messages(catalog)}
    seen: dict[tuple[str, str | None], Message] = {}
    for path in files(language, folder):
        catalog = read(path)
        found += [Finding("obsolete", path.name, _singular(message)) for message in catalog.obsolete.values()]
        for message in messages(catalog):
            key = (_singular(message), message.context)
            faults = list(_faults(message))
            if key not in used:
                faults.append("obsolete")
            if seen.setdefault(key, message).string != message.string:
                faults.append("translated differently elsewhere")
            found += [Finding(fault, path.name, key[0]) for fault in faults]
    return found


def _faults(message: Message) -> Iterator[str]:
    if message.fuzzy:
        yield "fuzzy"
    if not _translated(message):
        yield "empty"
        return
    expected = set(_NAMED_PLACE.findall(_plural(message)))
    for text in _texts(message):
        if set(_NAMED_PLACE.findall(text)) != expected:
            yield "places differ"
        if _STRAY_PERCENT.search(text.replace("%%", "")):
            yield "stray per cent sign"


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _plural(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def _translated(message: Message) -> bool:
    return all(_texts(message)) and not message.fuzzy


def _texts(message: Message) -> list[str]:
    texts = message.string if isinstance(message.string, tuple | list) else [message.string]
    return [text or "" for text in texts] or [""]
