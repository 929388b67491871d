"""Cost centres: which service counts where, and how each centre's fiscal year stands against its budget."""

import uuid

from starlette.responses import Response

from auth.errors import Invalid
from auth.tenancy import scoped
from billing.budgets.queries import budgets_of_year
from billing.budgets.rules import FiscalYear
from billing.cost_centres.commands import LONGEST_NAME, tag
from billing.cost_centres.rules import centre_years
from billing.explorer.queries import entries_of
from billing.months import bangkok_date
from billing.statements.queries import book_of
from billing.usage.models import BilledService
from portal.i18n import gettext
from portal.refusals import in_words
from portal.visit import Visit
from services.requests.commitments import committed_by_centre


async def show(visit: Visit) -> Response:
    """Show every service with its cost centre, and every centre's year."""
    return await _page(visit, {}, {})


async def save(visit: Visit) -> Response:
    """Put services under cost centres, all of the form at once; refuses names that are too long."""
    own = await scoped(BilledService).filter(agency_id=visit.seat.id)
    typed = {each.id: visit.form.get(_field(each.id)) for each in own if _field(each.id) in visit.form}
    wrong = {_field(id_): "This is too long." for id_, name in typed.items() if len(name) > LONGEST_NAME}
    if wrong:
        return await _page(visit, visit.form.values(), in_words(Invalid(wrong)), 422)
    for id_, name in typed.items():
        await tag(id_, name, by=visit.by, now=visit.now)
    visit.flash(gettext("The cost centres were saved."))
    return visit.redirect("cost_centres")


def _field(service_id: uuid.UUID) -> str:
    return f"centre-{service_id}"


async def _page(visit: Visit, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    agency_id, year = visit.seat.id, FiscalYear.of(bangkok_date(visit.now))
    book = await book_of(agency_id, year.months[0], year.months[-1])
    budgets = await budgets_of_year(agency_id, year)
    committed = await committed_by_centre(agency_id, year, now=visit.now)
    centres = centre_years(book, await entries_of(book, year.months), year, budgets, committed)
    english = visit.language == "en"
    return visit.render(
        "cost_centres/show.html",
        status=status,
        year=year,
        centres=centres,
        names=sorted({each.cost_centre for each in book.services.values()} - {""}),
        services=[
            (
                _field(each.id),
                each.name_en if english else each.name_th,
                each.number,
                values.get(_field(each.id), each.cost_centre),
            )
            for each in book.services.values()
        ],
        errors=errors,
    )
