"""The provider's ledger: the trial balance of a month or a fiscal year, its entries, and both to take away."""

import datetime as dt
import tempfile
import uuid
from dataclasses import dataclass
from typing import IO, Final

from starlette.responses import Response, StreamingResponse

from auth.errors import NotFound
from auth.organisations.models import Organisation
from billing.budgets.rules import FiscalYear
from billing.exports.ledger import account_name, deed_name, write_ledger_csv, write_ledger_xlsx
from billing.ledger.queries import ledger_of
from billing.ledger.rules import Ledger
from billing.months import Month
from billing.payments.queries import invoices
from portal.pages.catalogue import FAMILIES
from portal.pages.exports import FORMATS, pieces
from portal.pages.whose_costs import name_of
from portal.visit import Visit

PER_PAGE: Final = 25
_IN_MEMORY: Final = 2**20


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a fiscal year, as the address names it."""

    months: tuple[Month, ...]

    @property
    def is_year(self) -> bool:
        """Whether it is a whole fiscal year."""
        return len(self.months) > 1

    @property
    def since(self) -> dt.datetime:
        """Its first moment."""
        return self.months[0].starts_at

    @property
    def until(self) -> dt.datetime:
        """The moment after it."""
        return self.months[-1].ends_at

    @property
    def year(self) -> int:
        """The fiscal year it is or lies in."""
        return self.months[0].fiscal_year

    @property
    def name(self) -> str:
        """How files of it are called."""
        return f"fy{self.year}" if self.is_year else str(self.months[0])


async def show(visit: Visit) -> Response:
    """Show the accounts over a period, and a page of its entries."""
    period = _period(visit)
    ledger = await ledger_of(visit.seat.id, period.since, period.until)
    pages = max(1, -(-len(ledger.entries) // PER_PAGE))
    page = min(_page(visit), pages)
    entries = ledger.entries[(page - 1) * PER_PAGE : page * PER_PAGE]
    # What is open now is what the accounts say now; of an earlier period's end the accounts alone know.
    runs = period.since <= visit.now < period.until
    open_now = sum(each.account.open for each in await invoices(provider_id=visit.seat.id) if each.account.open > 0)
    return visit.render(
        "ledger/show.html",
        period=period,
        month=period.months[0],
        latest=Month.of(visit.now),
        ledger=ledger,
        rows=ledger.trial_balance,
        entries=entries,
        page=page,
        pages=pages,
        agencies=await _agencies(visit, {each.agency_id for each in entries}),
        account_name=lambda each: account_name(each, _families(), visit.language),
        deed_name=lambda deed: deed_name(deed, visit.language),
        open_now=open_now if runs else None,
    )


async def export(visit: Visit) -> Response:
    """Send a period's ledger as CSV or XLSX; NotFound for another format."""
    kind, period = visit.params["kind"], _period(visit)
    writers = {"csv": write_ledger_csv, "xlsx": write_ledger_xlsx}
    if kind not in writers:
        raise NotFound("Export")
    ledger: Ledger = await ledger_of(visit.seat.id, period.since, period.until)
    agencies = await _agencies(visit, {each.agency_id for each in ledger.entries})
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    writers[kind](ledger, kept, agencies, _families(), visit.language)
    name = f"ledger-{period.name}.{FORMATS[kind].extension}"
    return StreamingResponse(
        pieces(kept),
        media_type=FORMATS[kind].media_type,
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"},
    )


def _period(visit: Visit) -> Period:
    """Return the period the address names, this month where it names none; NotFound for one to come."""
    now = Month.of(visit.now)
    try:
        if year := visit.query.get("year"):
            period = Period(FiscalYear(int(year)).months)
        else:
            month = visit.query.get("month")
            period = Period((Month.parse(month) if month else now,))
    except ValueError:
        raise NotFound("Month") from None
    if period.months[0] > now:
        raise NotFound("Month")
    return period


def _page(visit: Visit) -> int:
    text = visit.query.get("page")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _families() -> dict[str, str]:
    return {str(family): str(words) for family, words in FAMILIES.items()}


async def _agencies(visit: Visit, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {each.id: name_of(each, visit.language) for each in await Organisation.filter(id__in=list(ids))}
