"""Editing the catalogue: services' names and terms, their add-ons, what is ordered of them and in which quantities."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import structlog
from starlette.responses import Response

from auth.errors import Invalid
from auth.rules import Permission, system
from auth.tenancy import current, one, unit_of_work
from billing.months import bangkok_date
from billing.tariffs.rules import Basis
from portal.formats import NotANumber, date_numeric, date_short, parse_number, quantity
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.catalogue import FAMILIES, PER, rows_of
from portal.pages.effective_day import LABELS as DAY_LABELS
from portal.pages.effective_day import apart, effective_day, labels_of
from portal.refusals import in_words
from portal.visit import Visit
from services.capacity.queries import pools
from services.catalogue import commands
from services.catalogue.models import Addon, Offering, OfferingTerms
from services.catalogue.queries import addons_of, offering, on_offer, terms_of
from services.catalogue.rules import Bounds, Family, in_force
from services.requests.commands import void_stale

log = structlog.get_logger("portal.catalogue")

MOST: Final = Decimal(10) ** 12
DECIMALS: Final = 6
_LONGEST_TEXT: Final = 4000
LABELS: Final[dict[str, Lazy]] = {
    "code": lazy("Code"),
    "family": lazy("Service family"),
    "name_th": lazy("Name in Thai"),
    "name_en": lazy("Name in English"),
    "summary_th": lazy("Summary in Thai"),
    "summary_en": lazy("Summary in English"),
    "availability_pct": lazy("Availability"),
    "exclusions_th": lazy("Exclusions in Thai"),
    "exclusions_en": lazy("Exclusions in English"),
    "lead_working_days": lazy("New service delivered within"),
    "change_lead_working_days": lazy("Changes delivered within"),
    "data_kept_days": lazy("Data kept after the last day"),
    "is_open": lazy("New orders"),
    "takes_waiting_list": lazy("Waiting list"),
    "addon_code": lazy("Code"),
    "addon_name_th": lazy("Name in Thai"),
    "addon_name_en": lazy("Name in English"),
    "unit_th": lazy("Unit in Thai"),
    "unit_en": lazy("Unit in English"),
    "basis": lazy("How it is counted"),
    "minimum": lazy("Least"),
    "maximum": lazy("Most"),
    "step": lazy("In steps of"),
    "pool": lazy("Draws on the capacity of"),
    "addon": lazy("Belongs to the add-on"),
}
# Raised below pages with these words.
REASONS: Final = (
    lazy("This code is taken."),
    lazy("Give it a code."),
    lazy("Give it a name."),
    lazy("Give it a unit."),
    lazy("Enter a percentage up to 100."),
    lazy("Enter a percentage with at most three decimals."),
    lazy("Enter a whole number of days, zero or more."),
    lazy("The most must not be less than the least."),
    lazy("Enter a number, zero or more, with at most six decimals."),
)
_DAYS: Final = ("lead_working_days", "change_lead_working_days", "data_kept_days")
# What a switch of the terms says, off and on.
_SAID: Final[dict[str, tuple[Lazy, Lazy]]] = {
    "is_open": (lazy("not taken"), lazy("taken")),
    "takes_waiting_list": (lazy("none"), lazy("taken where capacity is short")),
}
_TEXTS: Final = ("summary_th", "summary_en", "exclusions_th", "exclusions_en")


async def index(visit: Visit) -> Response:
    """List the provider's own offerings, the closed ones too."""
    offers = await on_offer(on=bangkok_date(visit.now))
    return visit.render("catalogue_edit/index.html", offers=offers, families=FAMILIES)


async def new(visit: Visit) -> Response:
    """Show the form of a new offering."""
    fresh = {"availability_pct": "99.9", "lead_working_days": "5", "change_lead_working_days": "1"}
    first_day = {"effective_from": date_numeric(bangkok_date(visit.now))}
    return _new_form(visit, fresh | first_day | {"data_kept_days": "30", "is_open": "yes"}, {})


async def add(visit: Visit) -> Response:
    """Add an offering to the provider's own catalogue."""
    try:
        family = _choice(Family, visit.form.get("family"), "family")
        facts, day, reason = _terms(visit)
        facts |= _names(visit) | _orders(visit)
        made = await commands.add_offering(
            visit.form.get("code"), family, facts, effective_from=day, reason=reason, by=visit.by, now=visit.now
        )
    except Invalid as refused:
        return _new_form(visit, visit.form.values(), in_words(refused), status=422)
    visit.flash(_("The service was added. Say next what is ordered of it, and at which price."))
    return visit.redirect("offering.edit", id=made.id)


async def edit(visit: Visit) -> Response:
    """Show an offering's facts, components and add-ons, each with its form; NotFound for another provider's."""
    return await _page(visit, {}, {})


async def save(visit: Visit) -> Response:
    """Put an offering's names right, at once; the audit trail keeps what each was."""
    try:
        await commands.edit_offering(visit.params["id"], _names(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, visit.form.values(), in_words(refused), status=422)
    visit.flash(_("The service was saved."))
    return visit.redirect("offering.edit", id=visit.params["id"])


async def set_terms(visit: Visit) -> Response:
    """Set what is promised of an offering from a day on; quotes that promise something else are void at once."""
    try:
        facts, day, reason = _terms(visit)
        await commands.set_terms(visit.params["id"], facts, day, reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, visit.form.values(), in_words(refused), status=422)
    current().after_commit.append(functools.partial(void_contradicted, visit.now))
    visit.flash(_("These terms apply from %(day)s on.", day=date_short(day, visit.language)))
    return visit.redirect("offering.edit", id=visit.params["id"])


async def set_orders(visit: Visit) -> Response:
    """Set from a day on whether an offering takes new orders, and a waiting list; services in use go on."""
    try:
        day, reason = effective_day(visit)
        await commands.set_terms(visit.params["id"], _orders(visit), day, reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        typed, errors = apart("orders", visit.form.values(), in_words(refused))
        return await _page(visit, dict.fromkeys(commands.ORDERS, "") | typed, errors, status=422)
    visit.flash(_("This applies to orders from %(day)s on.", day=date_short(day, visit.language)))
    return visit.redirect("offering.edit", id=visit.params["id"])


async def set_addon_offered(visit: Visit) -> Response:
    """Offer an add-on with all that is ordered of it from a day on, or no longer."""
    addon = await one(Addon, id=visit.params["addon"], offering_id=visit.params["id"])
    try:
        is_offered = offered_in(visit)
        day, reason = effective_day(visit)
        await commands.set_addon_offered(addon.id, is_offered, day, reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, *apart(f"addon-{addon.id}", visit.form.values(), in_words(refused)), status=422)
    visit.flash(told_of(is_offered, day, visit))
    return visit.redirect("offering.edit", id=visit.params["id"])


def offered_in(visit: Visit) -> bool:
    """Read whether something is offered from a day on; refuses (Invalid) neither yes nor no."""
    said = visit.form.get("offered")
    if said not in {"yes", "no"}:
        raise Invalid({"offered": "Choose one of the list."})
    return said == "yes"


def told_of(is_offered: bool, day: dt.date, visit: Visit) -> str:
    """Return what was set, as a sentence."""
    words = date_short(day, visit.language)
    if is_offered:
        return _("It is offered for effective dates from %(day)s on.", day=words)
    return _("It is no longer offered for effective dates from %(day)s on. What is in use stays.", day=words)


async def void_contradicted(now: dt.datetime) -> None:
    """Void at once the quotes that a change of the catalogue contradicts; confirming one would find out as well."""
    try:
        voided = await unit_of_work(system("quotes"), functools.partial(void_stale, now=now))
        log.info("quotes voided", count=voided)
    except Exception:  # the change stands, and no stale quote can be confirmed anyhow
        log.exception("voiding stale quotes failed")


async def add_addon(visit: Visit) -> Response:
    """Add an add-on, still without anything that is ordered of it."""
    form = visit.form
    names = (form.get("addon_name_th"), form.get("addon_name_en"))
    try:
        await commands.add_addon(visit.params["id"], form.get("addon_code"), names, by=visit.by, now=visit.now)
    except Invalid as refused:
        beside = {f"addon_{name}": why for name, why in in_words(refused).items()}
        return await _page(visit, form.values(), beside, status=422)
    visit.flash(_("The add-on was added. Say next what is ordered of it, and at which price."))
    return visit.redirect("offering.edit", id=visit.params["id"])


async def new_component(visit: Visit) -> Response:
    """Show the form of something more that is ordered of an offering or its add-on."""
    fresh = {"minimum": "1", "step": "1", "basis": Basis.DAILY.value}
    return await _component_form(visit, fresh | {"effective_from": date_numeric(bangkok_date(visit.now))}, {})


async def add_component(visit: Visit) -> Response:
    """Add something that is ordered, still without a price; nobody can order it before it has one."""
    form = visit.form
    try:
        bounds = bounds_in(visit)
        day, reason = effective_day(visit)
        made = await commands.add_component(
            visit.params["id"],
            form.get("code"),
            names=(form.get("name_th"), form.get("name_en")),
            units=(form.get("unit_th"), form.get("unit_en")),
            basis=_choice(Basis, form.get("basis"), "basis"),
            addon_id=form.uuid("addon") if form.get("addon") else None,
            pool_id=form.uuid("pool") if form.get("pool") else None,
            bounds=bounds,
            effective_from=day,
            reason=reason,
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _component_form(visit, form.values(), in_words(refused), status=422)
    visit.flash(_("It was added. Set its price next: nobody can order it without one."))
    return visit.redirect("component", id=made.id)


def bounds_in(visit: Visit) -> Bounds:
    """Read the bounds of a form; refuses (Invalid) what is no quantity. No most means none."""
    form, faults, found = visit.form, {}, dict[str, Decimal]()
    for name in ("minimum", "maximum", "step"):
        try:
            if form.get(name) or name != "maximum":
                found[name] = exact(form.get(name))
        except NotANumber:
            faults[name] = "Enter a number, zero or more, with at most six decimals."
    if faults:
        raise Invalid(faults)
    return Bounds(found["minimum"], found.get("maximum"), found["step"])


def exact(text: str) -> Decimal:
    """Read a number that a column of six decimals can keep; refuses others, and what is below zero (NotANumber)."""
    number = parse_number(text)
    exponent = number.as_tuple().exponent
    if not 0 <= number < MOST or not isinstance(exponent, int) or -exponent > DECIMALS:
        raise NotANumber(text)
    return number


def _names(visit: Visit) -> dict[str, Any]:
    return {name: visit.form.get(name) for name in commands.LABELS}


def _orders(visit: Visit) -> dict[str, Any]:
    return {name: visit.form.get(name) == "yes" for name in commands.ORDERS}


def _promised(visit: Visit) -> dict[str, Any]:
    form, faults = visit.form, dict[str, str]()
    facts: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    faults |= {name: "This text is too long." for name in _TEXTS if len(facts[name]) > _LONGEST_TEXT}
    for name in _DAYS:
        text = form.get(name)
        if text.isascii() and text.isdigit() and len(text) <= 4:
            facts[name] = int(text)
        else:
            faults[name] = "Enter a whole number of days, zero or more."
    try:
        facts["availability_pct"] = percent = parse_number(form.get("availability_pct"))
        if percent != round(percent, 3):
            faults["availability_pct"] = "Enter a percentage with at most three decimals."
    except NotANumber:
        faults["availability_pct"] = "Enter a percentage up to 100."
    if faults:
        raise Invalid(faults)
    return facts


def _terms(visit: Visit) -> tuple[dict[str, Any], dt.date, str]:
    """Read terms with their day and reason; refuses (Invalid) all that is wrong at once."""
    faults = dict[str, str]()
    try:
        facts = _promised(visit)
    except Invalid as refused:
        faults |= refused.fields
    try:
        day, reason = effective_day(visit)
    except Invalid as refused:
        faults |= refused.fields
    if faults:
        raise Invalid(faults)
    return facts, day, reason


def _choice(kind: Callable[[str], Any], text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Invalid({field: "Choose one of the list."}) from None


async def _page(visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    found = await one(Offering, id=visit.params["id"])
    offer = await offering(found.code, on=bangkok_date(visit.now), provider_id=found.provider_id)
    terms = (await terms_of([found.id]))[found.id]
    stored = {name: getattr(found, name) for name in commands.LABELS}
    stored |= {name: str(getattr(terms[-1], name)) for name in (*_TEXTS, *_DAYS)}
    stored["availability_pct"] = quantity(terms[-1].availability_pct)
    stored |= {name: "yes" if getattr(terms[-1], name) else "" for name in commands.ORDERS}
    stored |= dict.fromkeys(("addon_code", "addon_name_th", "addon_name_en", "effective_from", "reason"), "")
    stored |= dict.fromkeys(labels_of("orders"), "")
    own = list(offer.components)
    groups = [(None, own)] + [(addon.addon, list(addon.components)) for addon in offer.addons]
    known = {addon.addon.id for addon in offer.addons}
    every_addon = await addons_of(found.id)
    empty_addons = [addon for addon in every_addon if addon.id not in known]
    labels = LABELS | DAY_LABELS | labels_of("orders")
    for each in every_addon:
        labels |= labels_of(f"addon-{each.id}")
    return visit.render(
        "catalogue_edit/offering.html",
        status=status,
        offering=found,
        orders=offer.orders,
        family=FAMILIES[found.family],
        groups=[(addon, list(zip(parts, rows_of(parts, visit.language), strict=True))) for addon, parts in groups]
        + [(addon, []) for addon in empty_addons],
        terms=[
            (each, _changes(each, before)) for each, before in zip(terms[::-1], (*terms[-2::-1], None), strict=True)
        ],
        terms_now=in_force(terms, bangkok_date(visit.now)),
        today=bangkok_date(visit.now),
        may_backdate=visit.by.may(Permission.PRICES_BACKDATE),
        values=stored | dict(values),
        errors=errors,
        labels=labels,
    )


def _changes(terms: OfferingTerms, before: OfferingTerms | None) -> list[tuple[Lazy, str]]:
    """Return what terms say other than those before them, all of it where they are the first; each with its label."""
    said = [name for name in commands.TERMS if before is None or getattr(terms, name) != getattr(before, name)]
    return [(LABELS[name], _said(name, getattr(terms, name))) for name in said]


def _said(name: str, value: Any) -> str:
    if name in _SAID:
        return str(_SAID[name][value])
    return quantity(value) if isinstance(value, Decimal) else str(value)


def _new_form(visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    return visit.render(
        "catalogue_edit/new.html",
        status=status,
        families=list(FAMILIES.items()),
        values=dict.fromkeys((*LABELS, *DAY_LABELS), "") | dict(values),
        errors=errors,
        labels=LABELS | DAY_LABELS,
        may_backdate=visit.by.may(Permission.PRICES_BACKDATE),
    )


async def _component_form(
    visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    found = await one(Offering, id=visit.params["id"])
    named = f"name_{visit.language}"
    return visit.render(
        "catalogue_edit/new_component.html",
        status=status,
        offering=found,
        bases=list(PER.items()),
        pools=[(pool.id, f"{getattr(pool, named)} ({pool.code})") for pool in await pools()],
        addons=[(addon.id, getattr(addon, named)) for addon in await addons_of(found.id)],
        values=dict.fromkeys((*LABELS, *DAY_LABELS), "") | dict(values),
        errors=errors,
        labels=LABELS | DAY_LABELS,
        may_backdate=visit.by.may(Permission.PRICES_BACKDATE),
    )
