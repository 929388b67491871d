"""The components of the worked examples, with their prices."""

from datetime import date, datetime
from decimal import Decimal

from billing.months import BANGKOK
from billing.statements.charges import Allocation, Component
from billing.tariffs.rules import Basis, PriceVersion, tiers_from

VAT = Decimal("0.07")
WITHHOLDING = Decimal("0.01")
LONG_AGO = date(2025, 10, 1)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BANGKOK)


def version(*tiers: tuple[int | None, str], number: int = 1, since: date = LONG_AGO) -> PriceVersion:
    return PriceVersion(number, number, since, tiers_from([{"upto": upto, "price": price} for upto, price in tiers]))


def component(name: str, basis: Basis, *prices: PriceVersion, position: int = 0) -> Component:
    return Component(name.lower(), name, "unit", basis, prices, position=position)


GI = component("GI", Basis.DAILY, version((100, "85.00"), (500, "65.00"), (None, "50.00")), position=1)
EDR = component("EDR", Basis.DAILY, version((500, "65.00"), (2000, "55.00"), (None, "45.00")), position=2)
SOC = component("SOC", Basis.DAILY, version((500, "20.00"), (2000, "16.00"), (None, "12.00")), position=3)
VCPU = component("vCPU", Basis.HOURLY, version((None, "0.55")), position=4)
RAM = component("RAM", Basis.HOURLY, version((None, "0.20")), position=5)
SSD = component("SSD", Basis.DAILY, version((None, "3.20")), position=6)
BACKUP = component("Backup", Basis.DAILY, version((None, "1.80")), position=7)


def allocated(what: Component, quantity: int | str, starts_at: datetime, ends_at: datetime | None = None) -> Allocation:
    return Allocation(what, Decimal(quantity), starts_at, ends_at)


IN_USE = [
    allocated(GI, 200, at(2025, 10, 1)),
    allocated(EDR, 620, at(2025, 10, 1)),
    allocated(SOC, 800, at(2025, 10, 1)),
]
