"""The .po files of a language, read and merged in memory; nothing compiled is kept on disk.

Each language has a folder of several files, one per part of the portal (`common.po`, `requests.po`, …), so that the
words of a page stand together. A message needed by several parts stands once, in `common.po`.
"""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALE = Path(__file__).parents[1] / "locale"


def files(language: str, folder: Path = LOCALE) -> list[Path]:
    """List the .po files of a language, `common.po` first."""
    return sorted((folder / language).glob("*.po"), key=lambda path: (path.stem != "common", path.stem))


def read(path: Path) -> Catalog:
    """Read one .po file; refuse a malformed one (`PoFileError`)."""
    with path.open("rb") as text:
        return read_po(text, locale=path.parent.name, charset="utf-8", abort_invalid=True)


def messages(catalog: Catalog) -> Iterator[Message]:
    """Go through a catalogue's messages, its header left out."""
    return (message for message in catalog if message.id)


def merged(language: str, folder: Path = LOCALE) -> Catalog:
    """Put a language's files together; where two hold the same message, the first file's translation stands."""
    whole = Catalog(locale=language)
    for path in files(language, folder):
        for message in messages(read(path)):
            if whole.get(message.id, message.context) is None:
                whole[message.id] = message
    return whole


@cache
def translations(language: str) -> NullTranslations:
    """Return a language's translations, read once per process; a language without files speaks English."""
    if not files(language):
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merged(language))
    compiled.seek(0)
    return Translations(compiled)
