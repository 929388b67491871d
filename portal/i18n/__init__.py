"""The portal's two languages: messages are written in English and translated to Thai.

The language in force belongs to the request, not to the process: `using(language)` sets it for a block, and `_`,
`ngettext`, `pgettext` and every template read it. Where a label is defined once for all requests, in a module or a
class, `lazy` keeps the message and translates it whenever it becomes text.

Messages may hold named places, filled by keyword: `_("%(count)s days left", count=3)`. Because of that a literal
per cent sign is written `%%`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import get_args

from portal.formats import Language as Language
from portal.i18n.catalogues import translations

LANGUAGES: dict[Language, str] = {"th": "ไทย", "en": "English"}
DEFAULT_LANGUAGE: Language = "th"
LANGUAGE_COOKIE = "lang"

_in_force: ContextVar[Language] = ContextVar("language", default=DEFAULT_LANGUAGE)


def language_of(choice: str | None) -> Language:
    """Return the language a cookie or a link names, and Thai for anything else; the browser's wish is not asked."""
    for known in get_args(Language):
        if choice == known:
            return known  # type: ignore[no-any-return]  # get_args has no precise type
    return DEFAULT_LANGUAGE


def language() -> Language:
    """Return the language in force."""
    return _in_force.get()


@contextmanager
def using(chosen: Language) -> Iterator[None]:
    """Put a language in force for the block, and the one before it back afterwards."""
    token = _in_force.set(chosen)
    try:
        yield
    finally:
        _in_force.reset(token)


def gettext(message: str, /, **places: object) -> str:
    """Translate a message into the language in force and fill its named places."""
    return translations(language()).gettext(message) % places


def ngettext(singular: str, plural: str, number: int, /, **places: object) -> str:
    """Translate a counted message; the count is also the place `num`."""
    return translations(language()).ngettext(singular, plural, number) % {"num": number, **places}


def pgettext(context: str, message: str, /, **places: object) -> str:
    """Translate a message whose English alone is ambiguous, told apart by a context."""
    return str(translations(language()).pgettext(context, message)) % places


_ = gettext


@dataclass(frozen=True, slots=True)
class Lazy:
    """A message that becomes text, in the language then in force, whenever it is asked for."""

    message: str
    context: str | None = None
    places: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        if self.context is None:
            return gettext(self.message, **dict(self.places))
        return pgettext(self.context, self.message, **dict(self.places))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def lazy(message: str, /, **places: object) -> Lazy:
    """Keep a message for later: for labels of modules and classes."""
    return Lazy(message, None, tuple(places.items()))


def lazy_pgettext(context: str, message: str, /, **places: object) -> Lazy:
    """Keep a message with its context for later."""
    return Lazy(message, context, tuple(places.items()))
