"""Editing the service level agreement: a new version each time, by the head of the section it belongs to."""

import datetime as dt
import json
import uuid
from importlib import resources
from typing import Any

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record, rows
from services.sections.models import Section
from services.sections.queries import led_by
from services.sla.models import SlaRow
from services.sla.rules import ClockStart, Mode, Per, complaints

# What an edit may change; everything else of a row stays with it for ever.
EDITABLE = frozenset(
    {
        "category_th", "category_en", "process_th", "process_en", "note_th", "note_en", "mode",
        "target_min_minutes", "target_max_minutes", "response_minutes", "clock_start", "per",
        "severity_minutes", "around_the_clock", "is_withdrawn", "position",
    }
)  # fmt: skip


async def add_row(
    section_id: uuid.UUID,
    code: str,
    *,
    effective_from: dt.datetime | None = None,
    by: Actor,
    now: dt.datetime,
    **given: Any,
) -> SlaRow:
    """Add a row to one's own section's part of the agreement (seed B 3(3)).

    `given` are the row's words and targets, in working minutes. Refuses another section's head
    (NotPermitted), a code in use (Conflict), and targets that cannot stand (Invalid).
    """
    section = await _own_section(section_id, by, now)
    await _hold(section.provider_id, code)
    if await SlaRow.filter(provider_id=section.provider_id, code=code).exists():
        raise Conflict(f"there is a row {code} already")
    return await _store(section, code, 1, given, effective_from or now, by=by, now=now)


async def edit_row(
    provider_id: uuid.UUID,
    code: str,
    *,
    effective_from: dt.datetime | None = None,
    by: Actor,
    now: dt.datetime,
    **changes: Any,
) -> SlaRow:
    """Give a row of one's own section its next version; incidents keep the one they were opened under.

    Refuses another section's head (NotPermitted), a version that would start before the one it follows or
    in the past (Conflict, Invalid), and targets that cannot stand (Invalid).
    """
    await _hold(provider_id, code)
    latest = await SlaRow.filter(provider_id=provider_id, code=code).order_by("-number").first()
    if latest is None:
        raise Conflict(f"there is no row {code}")
    section = await _own_section(latest.section_id, by, now)
    since = effective_from or max(now, latest.effective_from)
    if since < now:
        raise Invalid({"effective_from": "A service level cannot begin in the past."})
    if since < latest.effective_from:
        raise Conflict("a later version is there already")
    given = {name: getattr(latest, name) for name in EDITABLE} | changes
    return await _store(section, code, latest.number + 1, given, since, by=by, now=now)


async def load_table(provider_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> list[SlaRow]:
    """Give a provider that has none the sections and the agreement of seed B 6, with reading 4's priorities.

    Done by the portal itself or the provider's manager; refuses a provider that has an agreement (Conflict).
    """
    is_manager = by.provider_id == provider_id and by.may(Permission.DESK_OVERVIEW)
    if not (by.is_system or is_manager):
        raise NotPermitted("the agreement is taken over once, by the provider's manager")
    if await SlaRow.filter(provider_id=provider_id).exists():
        raise Conflict("this provider has an agreement already")
    table = json.loads(resources.files("services.sla").joinpath("sla.json").read_text("utf-8"))
    sections = {
        section["code"]: await Section.create(provider_id=provider_id, position=position, **section)
        for position, section in enumerate(table["sections"], 1)
    }
    loaded = []
    for position, row in enumerate(table["rows"], 1):
        words = {name: value for name, value in row.items() if name not in {"code", "section"}}
        given = words | {
            "mode": Mode(row["mode"]),
            "clock_start": ClockStart(row["clock_start"]),
            "per": Per(row["per"]) if row["per"] else None,
            "position": position,
        }
        loaded.append(await _store(sections[row["section"]], row["code"], 1, given, now, by=by, now=now))
    return loaded


async def _own_section(section_id: uuid.UUID, by: Actor, now: dt.datetime) -> Section:
    if not by.may(Permission.SLA_EDIT) or section_id not in await led_by(by, now):
        raise NotPermitted("a section's service levels are edited by its own head or delegate")
    return await one(Section, id=section_id)


async def _hold(provider_id: uuid.UUID, code: str) -> None:
    """Let two edits of one row take turns."""
    await rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"sla_row {provider_id} {code}")


async def _store(
    section: Section,
    code: str,
    number: int,
    given: dict[str, Any],
    effective_from: dt.datetime,
    *,
    by: Actor,
    now: dt.datetime,
) -> SlaRow:
    unknown = set(given) - EDITABLE
    if unknown:
        raise Invalid(dict.fromkeys(unknown, "This cannot be set."))
    row = SlaRow(
        provider_id=section.provider_id,
        section_id=section.id,
        code=code,
        number=number,
        effective_from=effective_from,
        made_by_name=by.name,
        made_at=now,
        **given,
    )
    wrong = complaints(row)
    if not (row.process_th or "").strip():
        wrong["process_th"] = "Name the process."
    if wrong:
        raise Invalid(wrong)
    await row.save()
    record("sla.edited", at=now, subject=("sla_row", row.id), code=code, version=number)
    return row
