"""What the benches of usage share: a provider with seven meters, and as many services as are wanted."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

from auth.clients.commands import create
from auth.clients.rules import Scope
from auth.fields import new_id
from auth.organisations.models import Organisation
from auth.rules import Actor, OrganisationKind, Role, Seat, system
from auth.tenancy import acting_as
from billing.metering.commands import name_meters
from billing.months import Month
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import Basis, Tier
from billing.usage.commands import open_service
from portal.embedded_postgres import Running, start

METERS = 7
MONTH = Month(2026, 11)
NOW = MONTH.ends_at + dt.timedelta(hours=1)
CHANGE = dt.date(2026, 11, 16)
_TIERS = ((100, "0.5512"), (1000, "0.4731"), (10000, "0.4023"), (None, "0.3517"))


@dataclass
class World:
    """A provider, its agencies' services, and what is measured of each."""

    provider: Actor
    agency_ids: list[uuid.UUID]
    services: list[tuple[uuid.UUID, uuid.UUID, str]]  # agency, service, number
    components: list[uuid.UUID]
    items: list[PriceItem]
    token: str


class Spent(NamedTuple):
    """What one turn took: by the clock, and of a processor, which whatever else runs here disturbs less."""

    seconds: float
    busy: float


@contextmanager
def server() -> Iterator[Running]:
    """Run a durable database server in a folder of its own, gone afterwards."""
    options = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
    with (
        TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), options=options) as it,
    ):
        yield it


async def found(services: int, agencies: int = 10) -> World:
    """Put the provider and its services into an empty, migrated database; each price changes mid-month."""
    async with acting_as(system("bench")):
        made = [
            await Organisation.create(
                kind=kind, code=code, short_code=code.upper()[:8], name_th=code, name_en=code, created_at=NOW
            )
            for kind, code in [
                (OrganisationKind.PROVIDER, "p"),
                *((OrganisationKind.AGENCY, f"a{n}") for n in range(agencies)),
            ]
        ]
        provider, homes = made[0], made[1:]
        items = []
        for meter in range(METERS):
            basis = Basis.METERED_MAX if meter == METERS - 1 else Basis.METERED_SUM
            item = await add_item(provider.id, f"m{meter}", names=("m", "m"), units=("u", "u"), basis=basis)
            for since, more in ((dt.date(2025, 1, 1), "0"), (CHANGE, "0.0103")):
                tiers = [
                    Tier(Decimal(upto) if upto else None, Decimal(price) + Decimal(more)) for upto, price in _TIERS
                ]
                await set_price(item, tiers, since, by=system("bench"), now=NOW)
            items.append(item)
        components = [new_id() for _ in items]
        named = {f"m{n}": (component, items[n]) for n, component in enumerate(components)}
        await name_meters(provider.id, "VM", named)
        opened = []
        for n in range(services):
            home, number = homes[n % agencies], f"VM-{n:05d}"
            service = await open_service(
                new_id(), home.id, provider.id, number=number, offering_code="VM", family="cloud", names=("s", "s")
            )
            opened.append((home.id, service.id, number))
    seat = Seat(provider.id, OrganisationKind.PROVIDER, "p", "p", "p")
    admin = Actor("admin", person_id=new_id(), seat=seat, roles=frozenset({Role.PROVIDER_ADMIN}))
    async with acting_as(admin):
        issued = await create("bench", [Scope.USAGE_WRITE], by=admin, now=NOW)
    return World(Actor("bench", seat=seat), [home.id for home in homes], opened, components, items, issued.token)


def megabytes(pid: int | str = "self") -> float:
    """Return the most memory a process has held so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(running: Running) -> float:
    """Return the time that this process and the database's have had a processor for."""
    return process_time() + busy(running.pid)


def busy(*roots: int) -> float:
    """Return the seconds that some processes and those they began, also the ended ones, have had a processor for."""
    ticks, known = 0, set(roots)
    for each in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda stat: int(stat.parent.name)):
        with suppress(OSError):  # it ended meanwhile
            fields = each.read_text().rpartition(")")[2].split()
            if int(each.parent.name) in known or int(fields[1]) in known:
                known.add(int(each.parent.name))
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
