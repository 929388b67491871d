"""What falls due happens in order of its due time, once, as of that time."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from billing.months import Month
from billing.statements.models import Statement
from portal import duties
from portal.duties import Duty, catch_up, next_month_end, next_morning, start_from
from portal.models import CaughtUp
from services.capacity.models import Pool
from services.incidents.commands import first_analysis
from services.incidents.ending import resolve
from services.incidents.history import facts_of
from services.requests import commands as requests
from services.requests.models import RequestEvent
from services.requests.rules import Kind, State
from services.sla.facts import FactKind
from tests.services.incidents.desk import staffed
from tests.stage import Stage, at


async def quoted(stage: Stage, *, now: dt.datetime) -> object:
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=now)
    await stage.as_("official-a", requests.submit, request.id, now=now)
    await stage.review(request.id, accepted=now, quoted=now)
    return request.id


async def invoices() -> list[tuple[dt.date, dt.datetime]]:
    async with acting_as(system("test")):
        return sorted([(s.month, s.issued_at) for s in await Statement.all()])


async def test_months_close_and_quotes_expire_in_their_order(stage: Stage) -> None:
    # Quoted on Fri 6 Nov: 15 working days later is Fri 27 Nov, 16:00.
    request_id = await quoted(stage, now=at("2026-11-06", "10:00"))
    free = await stage.free("GI", "bandwidth")
    done = await catch_up(at("2026-12-04", "15:15"), since=at("2026-10-15"))
    assert done.failed == ()
    assert await invoices() == [
        (dt.date(2026, 10, 1), at("2026-11-01", "00:05")),
        (dt.date(2026, 10, 1), at("2026-11-01", "00:05")),
        (dt.date(2026, 11, 1), at("2026-12-01", "00:05")),
        (dt.date(2026, 11, 1), at("2026-12-01", "00:05")),
    ]
    async with acting_as(system("test")):
        expired = await RequestEvent.get(request_id=request_id, what="expire")
        acts = [r.action for r in await AuditRecord.filter(chain_id=stage.agency("a")).order_by("number")]
    assert expired.at == at("2026-11-27", "16:00") + dt.timedelta(microseconds=1)
    assert expired.state is State.EXPIRED
    assert [act for act in acts if act in {"statement.issued", "request.expire"}] == [
        "statement.issued",
        "request.expire",
        "statement.issued",
    ]
    # What the quote held is free again.
    assert await stage.free("GI", "bandwidth") == free + Decimal(300)


async def test_the_desk_warns_and_closes_by_itself_each_at_its_moment(stage: Stage) -> None:
    desk = await staffed()
    late = await desk.call("1.2a", at("2026-12-08", "09:00"))
    done = await desk.call("1.2a", at("2026-12-08", "09:00"))
    await desk.do(desk.helpdesk, first_analysis(done.id, by=desk.helpdesk, now=at("2026-12-08", "09:05")))
    await desk.do(desk.helpdesk, resolve(done.id, resolution="x", by=desk.helpdesk, now=at("2026-12-08", "09:30")))
    assert (await catch_up(at("2026-12-20"), since=at("2026-12-08"))).failed == ()
    async with acting_as(system("test")):
        told = [(fact.kind, fact.at) for fact in await facts_of(late.id)][1:]
        last = (await facts_of(done.id))[-1]
    moments = [at("2026-12-08", "09:45"), at("2026-12-08", "10:00")]
    assert told == [(FactKind.ESCALATED, moment + dt.timedelta(microseconds=1)) for moment in moments]
    assert (last.kind, last.at) == (FactKind.CLOSED, at("2026-12-16", "16:00") + dt.timedelta(microseconds=1))


async def test_doing_it_again_or_at_once_changes_nothing(stage: Stage) -> None:
    await quoted(stage, now=at("2026-11-06", "10:00"))
    until = at("2026-12-04", "15:15")
    every = await asyncio.gather(*(catch_up(until, since=at("2026-10-15")) for _ in range(3)))
    assert sorted(bool(done.count) for done in every) == [False, False, True]
    first = await invoices()
    assert (await catch_up(until)).count == 0
    assert await invoices() == first
    assert len(first) == 4


async def test_one_that_does_not_wait_leaves_it_to_the_other(stage: Stage) -> None:
    async with duties._alone(wait=True) as mine:
        assert mine
        assert (await catch_up(at("2027-03-01"), since=at("2026-10-15"), wait=False)).count == 0
    assert (await catch_up(at("2026-11-01", "00:05"), since=at("2026-10-31", "12:00"), wait=False)).count == 1


async def test_the_clock_may_stand_still_or_jump_over_months(stage: Stage) -> None:
    await catch_up(at("2026-10-15"))
    assert (await catch_up(at("2026-10-15"))).count == 0
    await catch_up(at("2027-01-01", "12:00"))
    months = [month for month, _ in await invoices()]
    assert months == sorted(2 * [Month(2026 + n // 12, n % 12 + 1).first for n in range(9, 12)])


async def test_a_duty_that_fails_keeps_none_of_the_others_and_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"still": True}
    tried = []

    async def fail(now: dt.datetime) -> None:
        tried.append(now)
        if broken["still"]:
            raise RuntimeError("cannot")

    async def stays_due() -> dt.datetime:
        return at("2026-10-20")

    async def nothing(_: dt.datetime) -> None:
        return None

    more = (
        Duty("fails", fail, follows=next_morning),
        Duty("stays due", nothing, waits=stays_due),
    )
    monkeypatch.setattr(duties, "DUTIES", (*more, *duties.DUTIES))
    done = await catch_up(at("2026-11-02"), since=at("2026-10-30", "09:00"))
    assert set(done.failed) == {"fails", "stays due"}
    assert tried == [at("2026-10-31", "08:00")]
    assert len(await invoices()) == 2
    broken["still"] = False
    await catch_up(at("2026-11-02"))
    assert tried[1:] == [at("2026-10-31", "08:00"), at("2026-11-01", "08:00"), at("2026-11-02", "08:00")]


async def test_an_invoice_that_failed_is_issued_the_next_morning(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = duties.issue

    async def refuse_agency_a(agency_id: object, *rest: object, **more: object) -> object:
        if agency_id == stage.agency("a"):
            raise RuntimeError("no price")
        return await issue(agency_id, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(duties, "issue", refuse_agency_a)
    await catch_up(at("2026-11-01", "07:00"), since=at("2026-10-31", "12:00"))
    assert [month for month, _ in await invoices()] == [dt.date(2026, 10, 1)]
    monkeypatch.undo()
    await catch_up(at("2026-11-01", "08:00"))
    assert [issued for _, issued in await invoices()] == [at("2026-11-01", "00:05"), at("2026-11-01", "08:00")]


async def test_what_was_done_is_remembered_from_where_it_was_started(stage: Stage) -> None:
    async with acting_as(system("test")):
        await start_from(at("2026-12-04"))
        await start_from(at("2026-01-01"))
        assert {row.until for row in await CaughtUp.all()} == {at("2026-12-04")}
        assert await Pool.all().exists()


@pytest.mark.parametrize(
    ("after", "closes"),
    [
        (at("2026-12-04"), at("2027-01-01", "00:05")),
        (at("2027-01-01", "00:04"), at("2027-01-01", "00:05")),
        (at("2027-01-01", "00:05"), at("2027-02-01", "00:05")),
        (dt.datetime(2026, 12, 31, 17, 4, tzinfo=dt.UTC), at("2027-01-01", "00:05")),
        (dt.datetime(2026, 12, 31, 17, 5, tzinfo=dt.UTC), at("2027-02-01", "00:05")),
    ],
)
def test_a_month_closes_five_minutes_past_its_midnight_in_bangkok(after: dt.datetime, closes: dt.datetime) -> None:
    assert next_month_end(after) == closes


@pytest.mark.parametrize(
    ("after", "morning"),
    [
        (at("2026-12-04", "07:59"), at("2026-12-04", "08:00")),
        (at("2026-12-04", "08:00"), at("2026-12-05", "08:00")),
        (dt.datetime(2026, 12, 4, 1, 0, tzinfo=dt.UTC), at("2026-12-05", "08:00")),
    ],
)
def test_a_day_starts_at_eight_in_bangkok(after: dt.datetime, morning: dt.datetime) -> None:
    assert next_morning(after) == morning
