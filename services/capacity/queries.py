"""Reading what a provider has: how much is taken, what is set aside for which request, and what comes back when."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from auth.errors import NotFound
from auth.tenancy import current, rows, scoped
from services.capacity.models import Hold, HoldState, Pool


@dataclass(frozen=True, slots=True)
class Held:
    """Capacity set aside for a request, until its quote's last day; or, once confirmed, until it is delivered."""

    quantity: Decimal
    held_at: dt.datetime
    request_id: uuid.UUID
    request_number: str
    state: str
    effective_on: dt.date
    agency_th: str
    agency_en: str
    valid_until: dt.datetime | None

    @property
    def is_confirmed(self) -> bool:
        """Whether the customer has confirmed, so that it is promised."""
        return self.state != "awaiting_confirmation"


@dataclass(frozen=True, slots=True)
class Returning:
    """Capacity in use until a moment, and free from then on."""

    quantity: Decimal
    returns_at: dt.datetime
    request_id: uuid.UUID
    request_number: str
    agency_th: str
    agency_en: str


@dataclass(frozen=True, slots=True)
class Future:
    """What becomes of a pool: what is set aside in it, newest last, and what comes back, soonest first."""

    pool: Pool
    offerings: tuple[tuple[str, str, str], ...]  # code and names of what draws on it
    held: tuple[Held, ...]
    returning: tuple[Returning, ...]


async def next_return() -> dt.datetime | None:
    """Return when the next capacity is given back, None while none is to be."""
    first = await scoped(Hold).filter(state=HoldState.RETURNING).order_by("returns_at").first()
    return first.returns_at if first else None


async def pools() -> list[Pool]:
    """Return the actor's own pools, by code; all of them to those who oversee."""
    return await scoped(Pool).order_by("code")


async def drawing_on_pools() -> dict[uuid.UUID, list[tuple[str, str]]]:
    """Return the names, in Thai and English, of the offerings that draw on each pool within reach."""
    found: dict[uuid.UUID, list[tuple[str, str]]] = {}
    for row in await rows(
        "SELECT DISTINCT c.pool_id, o.position, o.code, o.name_th, o.name_en"
        " FROM component c JOIN offering o ON o.id = c.offering_id JOIN pool p ON p.id = c.pool_id ORDER BY 2, 3"
    ):
        found.setdefault(row["pool_id"], []).append((row["name_th"], row["name_en"]))
    return found


async def future_of(pool_id: uuid.UUID) -> Future:
    """Return a pool within reach with what becomes of it; NotFound for another provider's. Four queries."""
    pool = await scoped(Pool).filter(id=pool_id).first()
    if pool is None:
        raise NotFound("Pool")
    held = await rows(
        "SELECT h.quantity, h.held_at, r.id AS request_id, r.number AS request_number, r.state, r.effective_on,"
        " o.name_th AS agency_th, o.name_en AS agency_en,"
        " CASE WHEN r.state = 'awaiting_confirmation' THEN q.valid_until END AS valid_until"
        " FROM hold h JOIN service_request r ON r.agency_id = h.agency_id AND r.id = h.request_id"
        " JOIN organisation o ON o.id = h.agency_id"
        " LEFT JOIN quote q ON q.agency_id = r.agency_id AND q.id = r.quote_id"
        " WHERE h.pool_id = $1 AND h.state = 'held' ORDER BY h.held_at, h.id",
        pool_id,
    )
    returning = await rows(
        "SELECT h.quantity, h.returns_at, r.id AS request_id, r.number AS request_number,"
        " o.name_th AS agency_th, o.name_en AS agency_en"
        " FROM hold h JOIN service_request r ON r.agency_id = h.agency_id AND r.id = h.request_id"
        " JOIN organisation o ON o.id = h.agency_id"
        " WHERE h.pool_id = $1 AND h.state = 'returning' ORDER BY h.returns_at, h.id",
        pool_id,
    )
    drawing = await rows(
        "SELECT DISTINCT o.code, o.name_th, o.name_en FROM component c JOIN offering o ON o.id = c.offering_id"
        " WHERE c.pool_id = $1 ORDER BY o.code",
        pool_id,
    )
    return Future(
        pool,
        tuple((row["code"], row["name_th"], row["name_en"]) for row in drawing),
        tuple(Held(**row) for row in held),
        tuple(Returning(**row) for row in returning),
    )


def in_reach(pool: Pool) -> bool:
    """Say whether a pool is the actor's own to change."""
    return pool.provider_id == current().actor.provider_id


async def miscounted_pools() -> list[tuple[str, Decimal, Decimal]]:
    """Return the pools whose count of what is held differs from their holds: code, counted, added up."""
    found = await rows(
        "SELECT p.code, p.held AS counted, coalesce(sum(h.quantity), 0) AS held FROM pool p"
        " LEFT JOIN hold h ON h.pool_id = p.id AND h.state = 'held'"
        " GROUP BY p.id HAVING p.held <> coalesce(sum(h.quantity), 0) ORDER BY p.code"
    )
    return [(row["code"], row["counted"], row["held"]) for row in found]
