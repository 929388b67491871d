"""Editing the catalogue: services' facts, their add-ons, what is ordered of them and in which quantities."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from auth.errors import Invalid
from auth.tenancy import one
from billing.months import bangkok_date
from billing.tariffs.rules import Basis
from portal.formats import NotANumber, parse_number, quantity
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.catalogue import FAMILIES, PER, rows_of
from portal.refusals import in_words
from portal.visit import Visit
from services.capacity.queries import pools
from services.catalogue import commands
from services.catalogue.models import Offering
from services.catalogue.queries import addons_of, offering, on_offer
from services.catalogue.rules import Family

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
_TEXTS: Final = ("name_th", "name_en", "summary_th", "summary_en", "exclusions_th", "exclusions_en")


async def index(visit: Visit) -> Response:
    """List the provider's own offerings, the closed ones too."""
    offers = await on_offer(on=bangkok_date(visit.now))
    return visit.render("catalogue_edit/index.html", offers=offers, families=FAMILIES)


async def new(visit: Visit) -> Response:
    """Show the form of a new offering."""
    fresh = {"availability_pct": "99.9", "lead_working_days": "5", "change_lead_working_days": "1"}
    return _new_form(visit, fresh | {"data_kept_days": "30", "is_open": "yes"}, {})


async def add(visit: Visit) -> Response:
    """Add an offering to the provider's own catalogue."""
    try:
        family = _choice(Family, visit.form.get("family"), "family")
        made = await commands.add_offering(visit.form.get("code"), family, _facts(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        return _new_form(visit, visit.form.values(), in_words(refused), status=422)
    visit.flash(_("The service was added. Say next what is ordered of it, and at which price."))
    return visit.redirect("offering.edit", id=made.id)


async def edit(visit: Visit) -> Response:
    """Show an offering's facts, components and add-ons, each with its form; NotFound for another provider's."""
    return await _page(visit, {}, {})


async def save(visit: Visit) -> Response:
    """Change an offering's facts; the audit trail keeps what each was."""
    try:
        await commands.edit_offering(visit.params["id"], _facts(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        kept = dict.fromkeys(("is_open", "takes_waiting_list"), "") | visit.form.values()
        return await _page(visit, kept, in_words(refused), status=422)
    visit.flash(_("The service was saved."))
    return visit.redirect("offering.edit", id=visit.params["id"])


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
    return await _component_form(visit, {"minimum": "1", "step": "1", "basis": Basis.DAILY.value}, {})


async def add_component(visit: Visit) -> Response:
    """Add something that is ordered, still without a price; nobody can order it before it has one."""
    form = visit.form
    try:
        bounds = bounds_in(visit)
        made = await commands.add_component(
            visit.params["id"],
            form.get("code"),
            names=(form.get("name_th"), form.get("name_en")),
            units=(form.get("unit_th"), form.get("unit_en")),
            basis=_choice(Basis, form.get("basis"), "basis"),
            addon_id=form.uuid("addon") if form.get("addon") else None,
            pool_id=form.uuid("pool") if form.get("pool") else None,
            by=visit.by,
            now=visit.now,
            **bounds,
        )
    except Invalid as refused:
        return await _component_form(visit, form.values(), in_words(refused), status=422)
    visit.flash(_("It was added. Set its price next: nobody can order it without one."))
    return visit.redirect("component", id=made.id)


def bounds_in(visit: Visit) -> dict[str, Any]:
    """Read the bounds of a form; refuses (Invalid) what is no quantity. No most means none."""
    form, faults, found = visit.form, {}, dict[str, Decimal | None]()
    for name in ("minimum", "maximum", "step"):
        try:
            found[name] = exact(form.get(name)) if form.get(name) or name != "maximum" else None
        except NotANumber:
            faults[name] = "Enter a number, zero or more, with at most six decimals."
    if faults:
        raise Invalid(faults)
    return found


def exact(text: str) -> Decimal:
    """Read a number that a column of six decimals can keep; refuses others, and what is below zero (NotANumber)."""
    number = parse_number(text)
    exponent = number.as_tuple().exponent
    if not 0 <= number < MOST or not isinstance(exponent, int) or -exponent > DECIMALS:
        raise NotANumber(text)
    return number


def _facts(visit: Visit) -> dict[str, Any]:
    form, faults = visit.form, dict[str, str]()
    facts: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    faults |= {name: "This text is too long." for name in _TEXTS if len(facts[name]) > _LONGEST_TEXT}
    facts |= {name: form.get(name) == "yes" for name in ("is_open", "takes_waiting_list")}
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


def _choice(kind: Callable[[str], Any], text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Invalid({field: "Choose one of the list."}) from None


async def _page(visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    found = await one(Offering, id=visit.params["id"])
    offer = await offering(found.code, on=bangkok_date(visit.now), provider_id=found.provider_id)
    stored = {name: str(getattr(found, name)) for name in (*_TEXTS, *_DAYS)}
    stored["availability_pct"] = quantity(found.availability_pct)
    stored |= {name: "yes" if getattr(found, name) else "" for name in ("is_open", "takes_waiting_list")}
    stored |= dict.fromkeys(("addon_code", "addon_name_th", "addon_name_en"), "")
    own = list(offer.components)
    groups = [(None, own)] + [(addon.addon, list(addon.components)) for addon in offer.addons]
    known = {addon.addon.id for addon in offer.addons}
    empty_addons = [addon for addon in await addons_of(found.id) if addon.id not in known]
    return visit.render(
        "catalogue_edit/offering.html",
        status=status,
        offering=found,
        family=FAMILIES[found.family],
        groups=[(addon, list(zip(parts, rows_of(parts, visit.language), strict=True))) for addon, parts in groups]
        + [(addon, []) for addon in empty_addons],
        values=stored | dict(values),
        errors=errors,
        labels=LABELS,
    )


def _new_form(visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    return visit.render(
        "catalogue_edit/new.html",
        status=status,
        families=list(FAMILIES.items()),
        values=dict.fromkeys((*LABELS, "is_open", "takes_waiting_list"), "") | dict(values),
        errors=errors,
        labels=LABELS,
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
        values=dict.fromkeys(LABELS, "") | dict(values),
        errors=errors,
        labels=LABELS,
    )
