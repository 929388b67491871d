"""Capacity: what there is, what is taken, what is set aside for whom, and what comes back (annex ก 1.3, 1.5)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid
from auth.rules import Permission
from portal.formats import NotADate, NotANumber, date_numeric, parse_date, parse_number, quantity, unit_for
from portal.i18n import gettext as _
from portal.i18n import lazy, ngettext
from portal.pages.requests import wording
from portal.refusals import in_words
from portal.visit import Visit
from services.capacity.commands import resize
from services.capacity.queries import Future, drawing_on_pools, future_of, in_reach, pools
from services.capacity.rules import PoolInUse
from services.requests.rules import State
from services.requests.shrinking import shrink_pool

MOST: Final = Decimal(10) ** 12
_DECIMALS: Final = 6
# Raised below pages with these words.
REASONS: Final = (
    lazy("Enter a number, zero or more, with at most six decimals."),
    lazy("Give both how much more is expected and from when, or neither."),
    lazy("The capacity became less after the quote was given."),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A size as it was entered."""

    size: Decimal
    more_expected: Decimal | None
    more_expected_on: dt.date | None


@dataclass(frozen=True, slots=True)
class InTheWay:
    """Why a size is too small: what is in use or promised, and the quotes that would be void to get there."""

    least: Decimal
    could_fit: bool
    size: Decimal
    void: tuple[str, ...]


async def index(visit: Visit) -> Response:
    """Show every pool with what is in use, set aside and free."""
    return visit.render("capacity/index.html", pools=await pools(), drawing=await drawing_on_pools())


async def show(visit: Visit) -> Response:
    """Show one pool and what becomes of it."""
    return await _page(visit, await future_of(visit.params["id"]), {}, {})


async def change(visit: Visit) -> Response:
    """Set a pool's size; one too small is refused with what is in the way, and quotes are void only when told so."""
    pool_id, values = visit.params["id"], visit.form.values()
    future = await future_of(pool_id)
    try:
        typed = _typed(visit)
    except Invalid as refused:
        return await _page(visit, future, values, in_words(refused), status=422)
    facts = {"more_expected": typed.more_expected, "more_expected_on": typed.more_expected_on}
    void = visit.form.get("void") == "yes"
    try:
        async with in_transaction():
            if void:
                voided = await shrink_pool(pool_id, typed.size, **facts, by=visit.by, now=visit.now)  # type: ignore[arg-type]
            else:
                voided = []
                await resize(pool_id, typed.size, **facts, by=visit.by, now=visit.now)  # type: ignore[arg-type]
    except PoolInUse:
        way = _in_the_way(future, typed.size)
        sentence = _(
            "%(taken)s %(unit)s are in use or set aside.",
            taken=quantity(future.pool.in_use + future.pool.held),
            unit=unit_for(wording.unit(future.pool, visit.language), future.pool.in_use + future.pool.held),
        )
        return await _page(visit, future, values, {"size": sentence}, way=way, status=422)
    visit.flash(_("The size was saved."))
    if voided:
        numbers = ", ".join(request.number for request in voided)
        count = ngettext("%(num)s quote is void: ", "%(num)s quotes are void: ", len(voided))
        visit.flash(count + numbers, "warning")
    return visit.redirect("pool", id=pool_id)


def _in_the_way(future: Future, size: Decimal) -> InTheWay:
    """Return what a size would undo: the quotes nobody has confirmed, the newest first, as far as needed."""
    promised = sum((held.quantity for held in future.held if held.is_confirmed), Decimal(0))
    least = Decimal(future.pool.in_use) + promised
    over, void = Decimal(future.pool.in_use) + Decimal(future.pool.held) - size, []
    for held in reversed(future.held):
        if over > 0 and not held.is_confirmed:
            void.append(held.request_number)
            over -= held.quantity
    return InTheWay(least, over <= 0, size, tuple(void))


def _typed(visit: Visit) -> Typed:
    form, faults = visit.form, {}
    size, more, expected_on = Decimal(0), None, None
    why = "Enter a number, zero or more, with at most six decimals."
    try:
        size = _amount(form.get("size"))
    except NotANumber:
        faults["size"] = why
    if form.get("more_expected"):
        try:
            more = _amount(form.get("more_expected"))
        except NotANumber:
            faults["more_expected"] = why
    if form.get("more_expected_on"):
        try:
            expected_on = parse_date(form.get("more_expected_on"))
        except NotADate:
            faults["more_expected_on"] = "Give a day such as 16/12/2569."
    if not faults and (more is None) is not (expected_on is None):
        faults["more_expected"] = "Give both how much more is expected and from when, or neither."
    if faults:
        raise Invalid(faults)
    return Typed(size, more, expected_on)


def _amount(text: str) -> Decimal:
    number = parse_number(text)
    exponent = number.as_tuple().exponent
    if not 0 <= number < MOST or not isinstance(exponent, int) or -exponent > _DECIMALS:
        raise NotANumber(text)
    return number


async def _page(
    visit: Visit,
    future: Future,
    values: dict[str, str],
    errors: dict[str, str],
    *,
    way: InTheWay | None = None,
    status: int = 200,
) -> Response:
    pool = future.pool
    expected_on = date_numeric(pool.more_expected_on) if pool.more_expected_on else ""
    kept = {
        "size": quantity(pool.size),
        "more_expected": quantity(pool.more_expected) if pool.more_expected is not None else "",
        "more_expected_on": expected_on,
    }
    return visit.render(
        "capacity/show.html",
        status=status,
        future=future,
        pool=pool,
        unit=wording.unit(pool, visit.language),
        states={state.value: standing for state, standing in wording.STATES.items()},
        awaiting=State.AWAITING_CONFIRMATION.value,
        may_edit=visit.by.may(Permission.CAPACITY_EDIT) and in_reach(pool),
        values=kept | values,
        errors=errors,
        way=way,
    )
