"""What the layout reads of a visit: the contract between the edge, which knows who is looking, and the templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from portal import i18n
from portal.formats import Language
from portal.i18n import Lazy


class Actor(Protocol):
    """What pages need to know of the person who is signed in."""

    @property
    def name(self) -> str:
        """The person's name."""

    @property
    def organisation_name(self) -> str:
        """The organisation they act for now, in the language of the page."""

    def may(self, permission: Any, /) -> bool:
        """Say whether they hold a permission."""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of the menu; `count` is what waits behind it, shown when there is something."""

    label: str | Lazy
    url: str
    icon: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """Lines of the menu that belong together, under a heading or none."""

    items: Sequence[MenuItem]
    heading: str | Lazy | None = None


@dataclass(frozen=True, slots=True)
class OrganisationChoice:
    """A membership of the person looking, to act under; `id` is what the switch posts."""

    id: str
    name: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Flash:
    """A sentence shown once on the next page."""

    kind: Literal["success", "info", "warning", "danger"]
    text: str | Lazy


@dataclass(frozen=True, slots=True)
class DemoClock:
    """The clock of demo mode, as the header shows it; `may_set` links it to its page."""

    held: bool
    may_set: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the help-desk at any hour, in the footer of every page (standard 7.4)."""

    phone: str = ""
    email: str = ""
    line: str = ""


@dataclass(slots=True)
class Visit:
    """One look at one page, as the edge fills it in; with nothing filled in, it is a stranger's."""

    actor: Actor | None = None
    now: datetime | None = None
    language: Language = i18n.DEFAULT_LANGUAGE
    nonce: str = ""
    csrf: str = ""
    menu: Sequence[MenuGroup] = ()
    organisations: Sequence[OrganisationChoice] = ()
    flashes: Sequence[Flash] = ()
    unread: int | None = None
    demo_clock: DemoClock | None = None
    contact: Contact = field(default_factory=Contact)
    reference: str = ""  # of this request, as it stands in the logs; error pages show it
