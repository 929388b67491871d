"""Who may be given work: technical certificates, a criminal-record check and a signed NDA, all of them in force."""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from auth.errors import Refusal

SOON = dt.timedelta(days=30)


class NotAssignable(Refusal):
    """The person cannot be given this work: no part in it, no role for it, or a clearance is missing or has lapsed."""


class Kind(enum.StrEnum):
    """What the standard asks of everybody who works on services (9.1–9.3)."""

    CERTIFICATE = "certificate"
    RECORD_CHECK = "record_check"
    NDA = "nda"


class Field(enum.StrEnum):
    """What a technical certificate is about (standard 9.1)."""

    NETWORK = "network"
    CLOUD = "cloud"
    DATA_CENTRE = "data_centre"
    SECURITY = "security"


class Held(Protocol):
    """Something of the register, in force from a day until another, both included; no end is no known end."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def field(self) -> Field | None:
        """What a certificate is about."""

    @property
    def held_from(self) -> dt.date:
        """The first day."""

    @property
    def held_until(self) -> dt.date | None:
        """The last day."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """How somebody stands on a day: what is missing, in which fields they are certified, and until when all holds."""

    missing: frozenset[Kind]
    fields: frozenset[Field]
    until: dt.date | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing: only then can work be given."""
        return not self.missing

    def ends_soon(self, day: dt.date) -> bool:
        """Whether what holds today ends within thirty days."""
        return self.is_whole and self.until is not None and self.until <= day + SOON


def clearance(held: Iterable[Held], day: dt.date) -> Clearance:
    """Return how somebody stands on a day, by what the register holds of them.

    Of several that fulfil one demand, the one that lasts longest counts.
    """
    in_force = [each for each in held if in_force_on(each, day)]
    ends = [
        max((each.held_until or dt.date.max for each in in_force if each.kind is kind), default=None) for kind in Kind
    ]
    missing = frozenset(kind for kind, end in zip(Kind, ends, strict=True) if end is None)
    first = min((end for end in ends if end is not None), default=dt.date.max)
    return Clearance(
        missing,
        frozenset(each.field for each in in_force if each.field is not None),
        None if missing or first == dt.date.max else first,
    )


def in_force_on(held: Held, day: dt.date) -> bool:
    """Return whether something of the register is in force on a day."""
    return held.held_from <= day and (held.held_until is None or held.held_until >= day)
