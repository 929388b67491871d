"""What a page's handler is given: one request as one person makes it, at one moment."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.errors import Invalid, NotPermitted
from auth.oidc import local_path
from auth.rules import Actor, Permission, Role, Seat
from auth.sessions.queries import Visitor
from portal import csrf, rendering
from portal.clock import Reading
from portal.i18n import Language
from portal.rendering import Flash, OrganisationChoice

_LONGEST_NEXT = 2000


class Fields:
    """The fields of a form or a query, each text stripped and with plain line ends.

    A field that was sent twice is refused (Invalid) unless all its values are asked for; one that was not sent is
    empty. Text with a NUL, which no database column takes, is refused (400) at once.
    """

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self._texts: dict[str, list[str]] = {}
        self._files: dict[str, list[UploadFile]] = {}
        for name, value in pairs:
            if isinstance(value, UploadFile):
                if value.filename:
                    self._files.setdefault(name, []).append(value)
                continue
            if "\0" in name or "\0" in value:
                raise HTTPException(400)
            self._texts.setdefault(name, []).append(value.replace("\r\n", "\n").strip())

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def get(self, name: str, default: str = "") -> str:
        """Return a field's one value; refuses (Invalid) a field sent twice."""
        values = self._texts.get(name, [])
        if len(values) > 1:
            raise Invalid({name: "This field was sent twice."})
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        return list(self._texts.get(name, []))

    def uuid(self, name: str) -> uuid.UUID:
        """Return a field that names a record; refuses (Invalid) what is no identifier."""
        try:
            return uuid.UUID(self.get(name))
        except ValueError:
            raise Invalid({name: "Choose one of the list."}) from None

    def files(self, name: str) -> list[UploadFile]:
        """Return the files attached under a name."""
        return list(self._files.get(name, []))

    def file_names(self) -> list[str]:
        """Return the names of the fields under which files came."""
        return list(self._files)

    def values(self) -> dict[str, str]:
        """Return each field with its first value, to fill a form again that was refused."""
        return {name: values[0] for name, values in self._texts.items()}

    def pairs(self) -> list[tuple[str, str]]:
        """Return every text with its field's name, files by their names."""
        texts = [(name, value) for name, values in self._texts.items() for value in values]
        return texts + [(name, file.filename or "") for name, files in self._files.items() for file in files]


@dataclass(frozen=True, slots=True)
class Looking:
    """The person who is signed in, as templates see them."""

    actor: Actor
    language: Language

    @property
    def name(self) -> str:
        """The person's name."""
        return self.actor.name

    @property
    def organisation_name(self) -> str:
        """The organisation acted for, in the language of the page; empty for who belongs to none yet."""
        return self.actor.seat.name(self.language) if self.actor.seat else ""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held in that organisation."""
        return self.actor.roles

    def may(self, permission: Permission | str, /) -> bool:
        """Say whether they hold a permission."""
        return self.actor.may(permission)


class Look(rendering.Visit):
    """What templates see of a visit. Its `csrf` is a new token at each reading: every form has its own."""

    @property
    def csrf(self) -> str:
        """A token for one form."""
        return csrf.token(self._secret) if self._secret else ""

    @csrf.setter
    def csrf(self, secret: str) -> None:
        self._secret = secret


@dataclass(slots=True)
class Visit:
    """One request as its handler sees it.

    `now` is business time, what commands are given; `wall` is the machine's, for sessions and the freshness of a
    sign-in. Both are read once. `actor` is None for a visitor who is not signed in; `by` is the same person on pages
    that only signed-in people reach.
    """

    request: Request
    route: str
    now: dt.datetime
    wall: dt.datetime
    language: Language
    look: Look
    visitor: Visitor | None = None
    demo_clock: Reading | None = None
    form: Fields = field(default_factory=Fields)
    query: Fields = field(default_factory=Fields)
    sayings: list[Flash] = field(default_factory=list)  # left for the next page

    @property
    def actor(self) -> Actor | None:
        """Who acts, or None."""
        return self.visitor.actor if self.visitor else None

    @property
    def by(self) -> Actor:
        """Who acts; NotPermitted when nobody is signed in."""
        if self.visitor is None:
            raise NotPermitted("nobody is signed in")
        return self.visitor.actor

    @property
    def seat(self) -> Seat:
        """The organisation acted for; NotPermitted for who belongs to none."""
        if self.by.seat is None:
            raise NotPermitted("a member of no organisation")
        return self.by.seat

    @property
    def nonce(self) -> str:
        """What lets this page's own scripts run."""
        return self.look.nonce

    @property
    def csrf(self) -> str:
        """A new token for one form; empty for a visitor who is not signed in."""
        return self.look.csrf

    @property
    def params(self) -> dict[str, Any]:
        """What the address names: `{id:uuid}` is a UUID here."""
        return self.request.path_params

    @property
    def by_htmx(self) -> bool:
        """Whether htmx asks for a piece of a page rather than a browser for the whole."""
        return "hx-request" in self.request.headers and "hx-boosted" not in self.request.headers

    def path(self, name: str, **params: Any) -> str:
        """Return the path of a named route."""
        return str(self.request.app.url_path_for(name, **params))

    def next_path(self, default: str = "/") -> str:
        """Return where the visitor wants to go on (`next` of query or form), when it is a path of this site."""
        wanted = self.form.get("next") or self.query.get("next")
        return local_path(wanted) if wanted and len(wanted) <= _LONGEST_NEXT else default

    def render(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
    ) -> Response:
        """Answer with a template. A status of 400 or more rolls back what the handler did."""
        return rendering.render(self.request, template, context, status=status, headers=headers)

    def redirect(self, name: str, **params: Any) -> Response:
        """Answer with the way to another page of ours, to be fetched with GET (303)."""
        return RedirectResponse(self.path(name, **params), status_code=303)

    def redirect_to(self, path: str) -> Response:
        """Answer with the way to a path of this site; any other address becomes `/`."""
        return RedirectResponse(local_path(path), status_code=303)

    def flash(self, text: object, kind: Literal["success", "info", "warning", "danger"] = "success") -> None:
        """Leave a sentence for the next page to show once."""
        self.sayings.append(Flash(kind, str(text)))


def choices(visitor: Visitor | None, language: Language) -> list[OrganisationChoice]:
    """Return the organisations a person may act for, for the switch in the header."""
    if visitor is None:
        return []
    current = visitor.actor.seat
    return [
        OrganisationChoice(str(seat.id), seat.name(language), current=current is not None and seat.id == current.id)
        for seat in visitor.seats
    ]
