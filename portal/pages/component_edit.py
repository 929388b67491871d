"""One thing that is ordered: its bounds, its prices from day to day, and its ceiling price (standard 7.1)."""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid
from auth.rules import Permission
from auth.tenancy import current
from billing.months import bangkok_date
from billing.tariffs.rules import AboveCeiling, BadTiers, Tier, checked_tiers, tiers_from
from portal.formats import NotANumber, date_short, quantity, rate
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.catalogue import PER, steps_of
from portal.pages.catalogue_edit import LABELS, bounds_in, exact, offered_in, told_of, void_contradicted
from portal.pages.effective_day import LABELS as DAY_LABELS
from portal.pages.effective_day import apart, effective_day, labels_of
from portal.refusals import in_words
from portal.visit import Visit
from services.catalogue import commands
from services.catalogue.effects import Effect, PriceHistory, effect_of, price_history
from services.catalogue.queries import bounds_of
from services.catalogue.rules import in_force, orders_on

MOST_TIERS: Final = 20
_LEAST_ROWS: Final = 3
_PRICE: Final = "Enter a price, zero or more, with at most six decimals."
_LIMIT: Final = "Each limit must be above the one before; only the last row has none."
# Raised below pages with these words.
REASONS: Final = (
    lazy("Enter a price, zero or more, with at most six decimals."),
    lazy("Each limit must be above the one before; only the last row has none."),
    lazy("Enter at least one price."),
    lazy("A price from this day is set already."),
    lazy("A ceiling price from this day is set already."),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One tier as typed, under its number."""

    number: int
    upto: str
    price: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A price as it was entered, read."""

    tiers: tuple[Tier, ...]
    rows: tuple[int, ...]  # where each tier stands in the form
    effective_from: dt.date
    reason: str


async def show(visit: Visit) -> Response:
    """Show a component's bounds, its price history and its ceilings, and the form for a new price."""
    return await _page(visit, await price_history(visit.params["id"]))


async def save_bounds(visit: Visit) -> Response:
    """Set in which quantities it can be ordered for days from one on; what is in use already stays."""
    try:
        bounds = bounds_in(visit)
        day, reason = effective_day(visit)
        await commands.set_bounds(visit.params["id"], bounds, day, reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _refused(visit, "bounds", in_words(refused))
    visit.flash(_("These quantities apply from %(day)s on.", day=date_short(day, visit.language)))
    return visit.redirect("component", id=visit.params["id"])


async def set_offered(visit: Visit) -> Response:
    """Offer it from a day on, or no longer; who has it can keep it, lower it and cancel it."""
    try:
        is_offered = offered_in(visit)
        day, reason = effective_day(visit)
        await commands.set_offered(visit.params["id"], is_offered, day, reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _refused(visit, "offer", in_words(refused))
    visit.flash(told_of(is_offered, day, visit))
    return visit.redirect("component", id=visit.params["id"])


async def set_ceiling(visit: Visit) -> Response:
    """Record the ceiling price from a day on; refuses one below a price in force then."""
    try:
        amount, day, reason = _ceiling_in(visit)
        await commands.set_ceiling(
            visit.params["id"],
            amount,
            day,
            includes_vat=visit.form.get("includes_vat") == "yes",
            reason=reason,
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _refused(visit, "ceiling", in_words(refused))
    except AboveCeiling as refused:
        price, on = quantity(refused.tier.price), date_short(refused.on, visit.language)
        words = _(
            "On %(day)s a price of %(price)s baht is in force. Set a lower one from that day on first.",
            day=on,
            price=price,
        )
        words += _vat_in(visit, refused)
        return await _refused(visit, "ceiling", {"amount": words})
    visit.flash(_("The ceiling price is set from %(day)s on.", day=date_short(day, visit.language)))
    return visit.redirect("component", id=visit.params["id"])


def _ceiling_in(visit: Visit) -> tuple[Decimal, dt.date, str]:
    """Read a ceiling price with its day and reason; refuses (Invalid) all that is wrong at once."""
    faults, amount = dict[str, str](), _number(visit.form.get("amount"))
    try:
        day, reason = effective_day(visit)
    except Invalid as refused:
        faults |= refused.fields
    if amount is None:
        faults["amount"] = _PRICE
    if amount is None or faults:
        raise Invalid(faults)
    return amount, day, reason


async def _refused(visit: Visit, form: str, errors: Mapping[str, str]) -> Response:
    """Show the page again with what was typed into one of its forms with a day, and what is wrong with it."""
    typed, beside = apart(form, visit.form.values(), errors)
    return await _page(visit, await price_history(visit.params["id"]), typed, beside, status=422)


async def set_price(visit: Visit) -> Response:
    """Show what a price would touch, or set it; refuses what is above the ceiling and, to most, days that have passed.

    Once it is set, quotes that it makes stale are void at once; the worker looks for such quotes too.
    """
    found, values = await price_history(visit.params["id"]), visit.form.values()
    if visit.form.get("act") == "rows":
        return await _page(visit, found, values, more_rows=True)
    try:
        typed = _typed(visit)
        effect = await effect_of(found.component, typed.tiers, typed.effective_from)
        await _set(visit, typed, keep=visit.form.get("act") == "set")
    except Invalid as refused:
        return await _page(visit, found, values, in_words(refused), status=422)
    except AboveCeiling as refused:
        return await _page(visit, found, values, _above(visit, refused, typed), status=422)
    if visit.form.get("act") != "set":
        return await _page(visit, found, values, effect=effect)
    current().after_commit.append(functools.partial(void_contradicted, visit.now))
    day = date_short(typed.effective_from, visit.language)
    visit.flash(_("The price is set from %(day)s on.", day=day))
    return visit.redirect("component", id=found.component.id)


class _OnlyLooking(Exception):
    """The way out of a transaction that was only tried."""


async def _set(visit: Visit, typed: Typed, *, keep: bool) -> None:
    """Set the price; what is only looked at is tried all the same, so that it is refused for the same reasons."""
    unit = current()
    records = len(unit.records)
    try:
        async with in_transaction():
            await commands.set_price(
                visit.params["id"],
                typed.tiers,
                typed.effective_from,
                reason=typed.reason,
                by=visit.by,
                now=visit.now,
            )
            if not keep:
                raise _OnlyLooking  # noqa: TRY301 - leaving by an exception is what undoes it
    except _OnlyLooking:
        del unit.records[records:]


def _above(visit: Visit, refused: AboveCeiling, typed: Typed) -> dict[str, str]:
    row = next((row for row, tier in zip(typed.rows, typed.tiers, strict=True) if tier == refused.tier), 1)
    ceiling = quantity(refused.ceiling.price)
    words = _("This is above the ceiling price of %(ceiling)s baht.", ceiling=ceiling) + _vat_in(visit, refused)
    return {f"price-{row}": words}


def _vat_in(visit: Visit, refused: AboveCeiling) -> str:
    """Return what a ceiling that includes VAT was compared with; nothing for one that does not."""
    if not refused.ceiling.includes_vat:
        return ""
    day = date_short(refused.on, visit.language)
    return " " + _("It includes VAT, which is %(rate)s on %(day)s.", rate=rate(refused.vat_rate), day=day)


def _typed(visit: Visit) -> Typed:
    tiers, rows, faults = _tiers(_rows(visit.form.values()))
    try:
        effective_from, reason = effective_day(visit)
    except Invalid as refused:
        faults |= refused.fields
    if faults:
        raise Invalid(faults)
    return Typed(tiers, rows, effective_from, reason)


def _tiers(typed: Sequence[Row]) -> tuple[tuple[Tier, ...], tuple[int, ...], dict[str, str]]:
    """Return the tiers of the rows that were filled in, where each stands, and what is wrong by field."""
    tiers, rows, faults = [], [], dict[str, str]()
    for row in typed:
        if not row.upto and not row.price:
            continue
        upto, price = _number(row.upto), _number(row.price)
        if row.upto and upto is None:
            faults[f"upto-{row.number}"] = _LIMIT
        if price is None:
            faults[f"price-{row.number}"] = _PRICE
        else:
            tiers.append(Tier(upto, price))
            rows.append(row.number)
    if not tiers and not faults:
        faults["price-1"] = "Enter at least one price."
    if not faults:
        try:
            checked_tiers(tiers)
        except BadTiers as bad:  # prices are read already, so it is a limit: tiers[2].upto
            place = int(bad.field.removeprefix("tiers[").split("]")[0])
            faults[f"upto-{rows[place]}"] = _LIMIT
    return tuple(tiers), tuple(rows), faults


def _number(text: str) -> Decimal | None:
    try:
        return exact(text)
    except NotANumber:
        return None


def _rows(values: Mapping[str, str]) -> list[Row]:
    """Return the tiers' rows as typed; as many as were sent, at most 20."""
    numbers = [n for n in range(1, MOST_TIERS + 1) if f"price-{n}" in values or f"upto-{n}" in values]
    return [Row(n, values.get(f"upto-{n}", ""), values.get(f"price-{n}", "")) for n in numbers]


def _shown_rows(found: PriceHistory, values: Mapping[str, str], *, more: bool) -> list[Row]:
    rows = _rows(values)
    if not rows and found.versions:
        tiers = tiers_from(found.versions[0].tiers)
        rows = [
            Row(number, quantity(tier.upto) if tier.upto is not None else "", quantity(tier.price))
            for number, tier in enumerate(tiers, 1)
        ]
    wanted = min(max(len(rows) + (_LEAST_ROWS if more else 0), _LEAST_ROWS), MOST_TIERS)
    return rows + [Row(number, "", "") for number in range(len(rows) + 1, wanted + 1)]


async def _page(
    visit: Visit,
    found: PriceHistory,
    values: Mapping[str, str] | None = None,
    errors: dict[str, str] | None = None,
    *,
    effect: Effect | None = None,
    more_rows: bool = False,
    status: int = 200,
) -> Response:
    component, typed = found.component, dict(values or {})
    bounds = (await bounds_of([component.id]))[component.id]
    latest = bounds[-1]
    stored = {
        "minimum": quantity(latest.minimum),
        "maximum": "" if latest.maximum is None else quantity(latest.maximum),
        "step": quantity(latest.step),
        **dict.fromkeys(("effective_from", "reason", "amount", "includes_vat"), ""),
    }
    apart_labels = labels_of("bounds") | labels_of("offer") | labels_of("ceiling")
    return visit.render(
        "catalogue_edit/component.html",
        status=status,
        component=component,
        offering=component.offering,
        unit=component.unit_en if visit.language == "en" else component.unit_th,
        per=PER[component.price_item.basis],
        versions=[(version, steps_of(tiers_from(version.tiers))) for version in found.versions],
        ceilings=found.ceilings,
        bounds=bounds[::-1],
        bounds_now=in_force(bounds, bangkok_date(visit.now)),
        today=bangkok_date(visit.now),
        rows=_shown_rows(found, typed, more=more_rows),
        may_backdate=visit.by.may(Permission.PRICES_BACKDATE),
        orders=orders_on(bounds, bangkok_date(visit.now)),
        values=stored | dict.fromkeys(apart_labels, "") | typed,
        errors=errors or {},
        labels=LABELS | DAY_LABELS | {"amount": lazy("Ceiling price")} | apart_labels,
        effect=effect,
    )
