import datetime as dt
import json
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as
from services.sla.commands import add_row, edit_row, load_table
from services.sla.models import SlaRow
from services.sla.queries import row_at, table_at, versions_of
from services.sla.rules import ClockStart, Mode, Per, Severity, Terms, complaints, terms_of
from tests.services.incidents.desk import LONG_AGO, at, staffed

TABLE = json.loads(resources.files("services.sla").joinpath("sla.json").read_text("utf-8"))
NOW = at(2026, 12, 8, 9)


@dataclass(frozen=True)
class Row:
    code: str = "x"
    number: int = 1
    mode: Mode = Mode.FIXED
    target_min_minutes: int | None = 60
    target_max_minutes: int | None = 60
    response_minutes: int | None = None
    clock_start: ClockStart = ClockStart.RECEIVED
    per: Per | None = None
    severity_minutes: Any = field(default=None)
    around_the_clock: bool = False


PLAIN = Row()
SEVERE = replace(
    PLAIN,
    mode=Mode.PER_SEVERITY,
    target_min_minutes=240,
    target_max_minutes=1440,
    severity_minutes={"low": 240, "medium": 480, "high": 960, "critical": 1440},
)


def test_the_whole_of_the_agreement_is_there() -> None:
    by_mode = [row["mode"] for row in TABLE["rows"]]
    assert len(TABLE["rows"]) == 26 + 4
    assert {mode: by_mode.count(mode) for mode in set(by_mode)} == {
        "fixed": 21, "range": 6, "per_item": 1, "per_severity": 1, "none": 1,
    }  # fmt: skip
    assert {row["section"] for row in TABLE["rows"]} == {section["code"] for section in TABLE["sections"]}


@pytest.mark.parametrize("given", TABLE["rows"], ids=lambda row: row["code"])
def test_every_row_of_it_can_stand(given: dict[str, Any]) -> None:
    row = Row(
        code=given["code"],
        mode=Mode(given["mode"]),
        target_min_minutes=given["target_min_minutes"],
        target_max_minutes=given["target_max_minutes"],
        response_minutes=given["response_minutes"],
        clock_start=ClockStart(given["clock_start"]),
        per=Per(given["per"]) if given["per"] else None,
        severity_minutes=given["severity_minutes"],
        around_the_clock=given["around_the_clock"],
    )
    assert complaints(row) == {}
    terms = terms_of(row, items=2)
    assert Terms.read(json.loads(json.dumps(terms.document()))) == terms


def test_what_terms_come_to() -> None:
    assert (terms_of(PLAIN).amber, terms_of(PLAIN).breach) == (None, 60)
    machines = replace(PLAIN, mode=Mode.PER_ITEM, per=Per.ITEM, target_min_minutes=30, target_max_minutes=30)
    assert (terms_of(machines, items=5).breach, terms_of(machines, items=5).clocks) == (150, 1)
    accounts = replace(PLAIN, mode=Mode.RANGE, per=Per.ACCOUNT, target_max_minutes=2400)
    assert (terms_of(accounts, items=3).breach, terms_of(accounts, items=3).clocks) == (2400, 3)
    assert (terms_of(SEVERE).amber, terms_of(SEVERE).breach) == (240, 1440)
    assert (terms_of(SEVERE, severity=Severity.HIGH).amber, terms_of(SEVERE, severity=Severity.HIGH).breach) == (
        None,
        960,
    )
    assert terms_of(PLAIN, emergency=True).around_the_clock
    with pytest.raises(ValueError, match="one item"):
        terms_of(PLAIN, items=0)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"target_min_minutes": 90}, {"target_min_minutes"}),
        ({"target_max_minutes": 90}, {"target_min_minutes"}),
        ({"target_min_minutes": None}, {"target_max_minutes"}),
        ({"target_min_minutes": 0, "target_max_minutes": 0}, {"target_max_minutes"}),
        ({"mode": Mode.NONE}, {"target_max_minutes"}),
        ({"mode": Mode.PER_ITEM}, {"per"}),
        ({"per": Per.ITEM}, {"per"}),
        ({"mode": Mode.PER_SEVERITY, "severity_minutes": {"low": 1}}, {"severity_minutes"}),
        ({"clock_start": ClockStart.NO_CLOCK}, {"clock_start"}),
        ({"response_minutes": 0}, {"response_minutes"}),
    ],
)
def test_targets_that_cannot_stand(changes: dict[str, Any], fields: set[str]) -> None:
    assert set(complaints(replace(PLAIN, **changes))) == fields


async def test_a_head_edits_the_own_section_s_rows_and_no_other_s(database: str) -> None:
    desk = await staffed()
    provider = desk.sections["network"].provider_id
    for who, code in ((desk.head, "4.2"), (desk.technician, "3.1"), (desk.manager, "3.1"), (desk.official, "3.1")):
        with pytest.raises(NotPermitted):
            await desk.do(who, edit_row(provider, code, note_th="x", by=who, now=NOW))
    edited = await desk.do(desk.head, edit_row(provider, "3.1", note_th="เมื่อครบถ้วน", by=desk.head, now=NOW))
    assert (edited.number, edited.target_max_minutes, edited.made_by_name) == (2, 480, desk.head.name)
    async with acting_as(desk.official):
        assert (await row_at(provider, "3.1", LONG_AGO)).number == 1
        assert (await row_at(provider, "3.1", NOW)).number == 2
        assert [row.number for row in await versions_of(provider, "3.1")] == [2, 1]
        assert len(await table_at(provider, NOW)) == 30


async def test_rows_are_added_from_a_day_on_and_withdrawn(database: str) -> None:
    desk = await staffed()
    section, provider = desk.sections["network"].id, desk.sections["network"].provider_id
    given = {
        "process_th": "ตรวจสอบสายสัญญาณ", "process_en": "Check the cable", "category_th": "เครือข่าย",
        "category_en": "Network", "mode": Mode.FIXED, "target_min_minutes": 60, "target_max_minutes": 60,
        "clock_start": ClockStart.RECEIVED,
    }  # fmt: skip
    next_week = NOW + dt.timedelta(days=7)
    await desk.do(desk.head, add_row(section, "3.9", effective_from=next_week, by=desk.head, now=NOW, **given))
    async with acting_as(desk.head):
        assert "3.9" not in {row.code for row in await table_at(provider, NOW)}
        assert "3.9" in {row.code for row in await table_at(provider, next_week)}
    with pytest.raises(Conflict):
        await desk.do(desk.head, add_row(section, "3.9", by=desk.head, now=NOW, **given))
    with pytest.raises(Invalid):
        await desk.do(desk.head, edit_row(provider, "3.1", effective_from=LONG_AGO, by=desk.head, now=NOW))
    with pytest.raises(Invalid):
        await desk.do(desk.head, edit_row(provider, "3.1", target_max_minutes=1, by=desk.head, now=NOW))
    with pytest.raises(Invalid):
        await desk.do(desk.head, edit_row(provider, "3.1", section_id=section, by=desk.head, now=NOW))
    await desk.do(desk.head, edit_row(provider, "3.1", is_withdrawn=True, by=desk.head, now=NOW))
    async with acting_as(desk.head):
        assert "3.1" not in {row.code for row in await table_at(provider, NOW)}
        assert "3.1" in {row.code for row in await table_at(provider, NOW, withdrawn=True)}


async def test_a_version_is_never_changed_and_a_bad_one_never_stored(database: str) -> None:
    desk = await staffed()
    provider = desk.sections["network"].provider_id
    with pytest.raises(OperationalError):
        await desk.do(desk.head, SlaRow.filter(code="3.1").update(target_max_minutes=1))
    async with acting_as(desk.head):
        row = await row_at(provider, "3.1", NOW)
    again = row.clone()
    again.update_from_dict({"id": desk.sections["mis"].id, "number": 2, "target_max_minutes": 1})
    with pytest.raises(IntegrityError):
        await desk.do(desk.head, again.save(force_create=True))
    with pytest.raises(Conflict):
        await desk.do(system("x"), load_table(provider, by=system("x"), now=NOW))
