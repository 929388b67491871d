"""What pages about services and costs are tested on: the whole catalogue, agency ก. as in the worked scenarios."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from auth.organisations.models import Organisation
from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.commands import set_budget
from billing.months import BANGKOK, Month
from billing.statements.commands import issue
from billing.tariffs.commands import set_tax_rate
from billing.tariffs.models import TaxKind
from portal.demo.catalogue import Catalogue, offer_everything
from portal.models import DemoClock
from services.subscriptions.commands import open_subscription, set_quantities
from services.subscriptions.models import Subscription
from tests.cast import actor, organisation
from tests.services.incidents.desk import cleared

OPENED = dt.datetime(2025, 9, 22, 10, 0, tzinfo=BANGKOK)
STARTS = dt.datetime(2025, 10, 1, tzinfo=BANGKOK)
NOW = dt.datetime(2026, 12, 20, 9, 0, tzinfo=BANGKOK)
THIS_YEAR = dt.datetime(2026, 10, 1, tzinfo=BANGKOK)


def at(*parts: int) -> dt.datetime:
    """Return a moment in Bangkok."""
    return dt.datetime(*parts, tzinfo=BANGKOK)  # type: ignore[arg-type]


@dataclass
class Shop:
    """The catalogue, the agencies, and the services opened so far by their offering's code."""

    catalogue: Catalogue
    agencies: Mapping[str, Organisation]
    provider: Organisation
    services: dict[str, Subscription] = field(default_factory=dict)

    async def open(
        self, agency: str, code: str, amounts: Mapping[str, str], since: dt.datetime = STARTS, label: str = "ส่วนกลาง"
    ) -> Subscription:
        """Open a service for agency a or b."""
        async with acting_as(system("tests")):
            self.services[code] = await open_subscription(
                self.agencies[agency].id,
                self.catalogue.offerings[code],
                self.catalogue.quantities(code, amounts),
                label=label,
                starts_at=since,
                ends_on=dt.date(2027, 9, 30),
                contract_number=f"สัญญา {code} 12/2568",
                origin="สัญญา",
                now=OPENED,
            )
        return self.services[code]

    async def change(self, code: str, amounts: Mapping[str, str], since: dt.datetime) -> None:
        """Give a service other quantities from a moment on."""
        async with acting_as(system("tests")):
            await set_quantities(
                self.services[code].id, self.catalogue.quantities(code, amounts), since, origin="คำร้อง"
            )

    async def invoice(self, agency: str, *months: Month) -> None:
        """Close months of an agency."""
        for month in months:
            async with acting_as(system("tests")):
                await issue(
                    self.agencies[agency].id, self.provider.id, month, by=system("month end"), now=month.ends_at
                )


async def clock_stands(now: dt.datetime) -> None:
    """Let the portal's business time stand still at a moment."""
    async with acting_as(system("tests")):
        await DemoClock.update_or_create(id=1, defaults={"demo_at": now, "real_at": now, "is_held": True})


async def opened_shop(now: dt.datetime = NOW) -> Shop:
    """Return the catalogue with nothing in use."""
    await clock_stands(now)
    async with acting_as(system("tests")):
        await set_tax_rate(TaxKind.VAT, Decimal("0.07"), dt.date(1999, 4, 1), now=OPENED)
        await set_tax_rate(TaxKind.WITHHOLDING, Decimal("0.01"), dt.date(1999, 4, 1), now=OPENED)
    manager = await actor("manager")
    async with acting_as(system("tests")):
        await cleared((await organisation("provider")).id, await actor("technician"))
    async with acting_as(manager):
        catalogue = await offer_everything((await organisation("provider")).id, by=manager, now=OPENED)
    agencies = {"a": await organisation("agency-a"), "b": await organisation("agency-b")}
    return Shop(catalogue, agencies, await organisation("provider"))


async def agency_a_in_december(now: dt.datetime = NOW) -> Shop:
    """Return scenario S1 after the change: 200 Mbps up to 15 December 2026, 500 from the 16th; two months invoiced."""
    shop = await opened_shop(now)
    await shop.open("a", "GI", {"bandwidth": "200"}, THIS_YEAR, label="สำนักงานใหญ่")
    await shop.open("a", "EP", {"endpoint": "620"}, THIS_YEAR)
    await shop.open("a", "SC", {"eps": "800"}, THIS_YEAR)
    await shop.invoice("a", Month(2026, 10), Month(2026, 11))
    await shop.change("GI", {"bandwidth": "500"}, at(2026, 12, 16))
    finance = await actor("finance-a")
    async with acting_as(finance):
        await set_budget(shop.agencies["a"].id, 2570, Decimal("1000000.00"), by=finance, now=at(2026, 10, 1, 9))
    return shop
