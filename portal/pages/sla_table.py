"""The service level agreement for everybody, every version of each row, and its editing by the section's head."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import Permission
from billing.months import midnight
from portal.formats import NotADate, parse_date
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.incidents import wording
from portal.pages.incidents.entering import whole
from portal.pages.incidents.reporting import desks
from portal.refusals import in_words
from portal.visit import Fields, Visit
from portal.words import who
from services.sections.models import Section
from services.sections.queries import led_by, sections_of
from services.sla.commands import add_row, edit_row
from services.sla.models import SlaRow
from services.sla.queries import table_at, versions_of
from services.sla.rules import ClockStart, Mode, Per, Severity

_LONGEST_CODE = 16
_WORDS = ("category_th", "category_en", "process_th", "process_en", "note_th", "note_en")


async def index(visit: Visit) -> Response:
    """Show the agreement as it stands, or stood at the end of a day of the past."""
    providers = await desks(visit)
    provider_id = _provider(visit, providers)
    on, at, wrong = visit.query.get("on"), visit.now, ""
    if on:
        try:
            at = min(midnight(parse_date(on)) + dt.timedelta(days=1, microseconds=-1), visit.now)
        except NotADate:
            wrong = _("Give a day such as 16/12/2569.")
    rows = await table_at(provider_id, at) if provider_id else []
    groups: dict[str, list[SlaRow]] = {}
    for row in rows:
        groups.setdefault(wording.category(row, visit.language), []).append(row)
    sections = await _sections(provider_id)
    return visit.render(
        "sla_table/index.html",
        groups=list(groups.items()),
        sections=sections,
        on=on,
        wrong=wrong,
        may_edit=visit.by.may(Permission.SLA_EDIT) and provider_id == visit.by.provider_id,
        leads=await led_by(visit.by, visit.now) if visit.by.may(Permission.SLA_EDIT) else frozenset(),
        **_words(visit),
    )


async def show(visit: Visit) -> Response:
    """Show every version of a row, the latest first; NotFound for a row there never was."""
    provider_id = _provider(visit, await desks(visit))
    versions = await versions_of(provider_id, visit.params["code"]) if provider_id else []
    if not versions:
        raise NotFound("SlaRow")
    own = visit.by.may(Permission.SLA_EDIT) and versions[0].section_id in await led_by(visit.by, visit.now)
    return visit.render(
        "sla_table/row.html", versions=versions, sections=await _sections(provider_id), may_edit=own, **_words(visit)
    )


async def edit(visit: Visit) -> Response:
    """Show the form of a row of one's own section; another section's is refused (NotPermitted)."""
    row = await _own(visit)
    return await _form(visit, row, _values(row))


async def save(visit: Visit) -> Response:
    """Give a row its next version; incidents keep the one they were opened under."""
    row = await _own(visit)
    try:
        given, since = _read(visit.form)
        async with in_transaction():
            made = await edit_row(row.provider_id, row.code, effective_from=since, by=visit.by, now=visit.now, **given)
    except Invalid as refused:
        return await _form(visit, row, visit.form.values(), in_words(refused), status=422)
    except Conflict:
        errors = {"since": _("A later version is there already.")}
        return await _form(visit, row, visit.form.values(), errors, status=409)
    visit.flash(
        _("Row %(code)s has version %(number)s now; open incidents keep theirs.", code=made.code, number=made.number)
    )
    return visit.redirect("sla.row", code=made.code)


async def new(visit: Visit) -> Response:
    """Show the form of a new row."""
    return await _form(visit, None, {"mode": Mode.FIXED.value, "clock_start": ClockStart.RECEIVED.value})


async def add(visit: Visit) -> Response:
    """Add a row to one's own section's part of the agreement."""
    try:
        given, since = _read(visit.form)
        code = _code(visit.form)
        async with in_transaction():
            made = await add_row(
                visit.form.uuid("section"), code, effective_from=since, by=visit.by, now=visit.now, **given
            )
    except Invalid as refused:
        return await _form(visit, None, visit.form.values(), in_words(refused), status=422)
    except Conflict:
        errors = {"code": _("There is a row of this code already.")}
        return await _form(visit, None, visit.form.values(), errors, status=409)
    visit.flash(_("Row %(code)s was added.", code=made.code))
    return visit.redirect("sla.row", code=made.code)


async def _own(visit: Visit) -> SlaRow:
    """Return the latest version of a row of a section the visitor heads."""
    versions = await versions_of(visit.by.provider_id, visit.params["code"]) if visit.by.provider_id else []
    if not versions:
        raise NotFound("SlaRow")
    if versions[0].section_id not in await led_by(visit.by, visit.now):
        raise NotPermitted("a section's service levels are edited by its own head or delegate")
    return versions[0]


async def _form(
    visit: Visit,
    row: SlaRow | None,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    leads = await led_by(visit.by, visit.now)
    sections = await _sections(visit.by.provider_id)
    return visit.render(
        "sla_table/edit.html",
        status=status,
        row=row,
        values=values,
        errors=errors or {},
        own=[(key, wording.name(each, visit.language)) for key, each in sections.items() if key in leads],
        severities=wording.SEVERITIES,
        starts=[
            (ClockStart.RECEIVED.value, _("when it is received")),
            (ClockStart.CONDITION_MET.value, _("when its condition is met")),
            (ClockStart.NO_CLOCK.value, _("never: no clock")),
        ],
        **_words(visit),
    )


def _read(form: Fields) -> tuple[dict[str, Any], dt.datetime | None]:
    """Return what a form says a row should be, and from when; refuses (Invalid) what cannot be read."""
    given: dict[str, Any] = {name: form.get(name)[:300] for name in _WORDS}
    if form.get("mode") not in set(Mode) or form.get("clock_start") not in set(ClockStart):
        raise Invalid({"mode": "Choose one of the list."})
    mode = Mode(form.get("mode"))
    for name in ("target_min_minutes", "target_max_minutes", "response_minutes"):
        given[name] = whole(form, name) if form.get(name) else None
    if mode is not Mode.NONE and given["target_min_minutes"] is None:
        given["target_min_minutes"] = given["target_max_minutes"]
    severities = {each.value: whole(form, f"minutes_{each}") for each in Severity if form.get(f"minutes_{each}")}
    per = Per.ITEM if mode is Mode.PER_ITEM else Per.ACCOUNT if form.get("per_account") == "yes" else None
    given |= {
        "mode": mode,
        "clock_start": ClockStart(form.get("clock_start")),
        "per": per,
        "severity_minutes": severities if mode is Mode.PER_SEVERITY else None,
        "around_the_clock": form.get("around_the_clock") == "yes",
        "is_withdrawn": form.get("is_withdrawn") == "yes",
    }
    if not form.get("since"):
        return given, None
    try:
        return given, midnight(parse_date(form.get("since")))
    except NotADate:
        raise Invalid({"since": "Give a day such as 16/12/2569."}) from None


def _code(form: Fields) -> str:
    code = form.get("code")
    if not code or len(code) > _LONGEST_CODE:
        raise Invalid({"code": "Give the row a code of at most 16 signs."})
    return code


def _values(row: SlaRow) -> dict[str, str]:
    names = (*_WORDS, "target_min_minutes", "target_max_minutes", "response_minutes")
    values = {name: "" if getattr(row, name) is None else str(getattr(row, name)) for name in names}
    flags = {"around_the_clock": row.around_the_clock, "is_withdrawn": row.is_withdrawn}
    flags["per_account"] = row.per is Per.ACCOUNT
    values |= {name: "yes" for name, stands in flags.items() if stands}
    values |= {f"minutes_{name}": str(minutes) for name, minutes in (row.severity_minutes or {}).items()}
    return values | {"mode": row.mode.value, "clock_start": row.clock_start.value}


def _words(visit: Visit) -> dict[str, Any]:
    return {
        "modes": wording.MODES,
        "pers": wording.PERS,
        "severity_words": wording.SEVERITIES,
        "who": who,
        "name": lambda thing: wording.name(thing, visit.language),
        "process": lambda row: wording.process(row, visit.language),
        "note": lambda row: row.note_en if visit.language == "en" and row.note_en else row.note_th,
    }


async def _sections(provider_id: UUID | None) -> dict[UUID, Section]:
    return {each.id: each for each in await sections_of(provider_id)} if provider_id else {}


def _provider(visit: Visit, providers: Mapping[UUID, object]) -> UUID | None:
    """Return whose agreement is shown: one's own, the one asked for, or the first there is."""
    asked = visit.query.get("provider")
    if visit.by.provider_id in providers:
        return visit.by.provider_id
    return next((each for each in providers if str(each) == asked), next(iter(providers), None))


REASONS = (
    lazy("Give the row a code of at most 16 signs."),
    lazy("A service level cannot begin in the past."),
    lazy("A process without a target has no minutes."),
    lazy("Give the target in minutes, one at least."),
    lazy("The lower target is above the upper one."),
    lazy("Only a range has two different targets."),
    lazy("Give a target in minutes for every severity."),
    lazy("Say what the target is counted by."),
    lazy("A process with a target has a clock."),
    lazy("Name the process."),
)
