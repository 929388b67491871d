"""S1: an agency asks for more bandwidth, and every figure is the one worked out by hand."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

import pytest

from auth.errors import NotFound, NotPermitted
from auth.tenancy import acting_as
from billing.money import Totals, totals
from billing.months import Month
from billing.statements.queries import Bill, Line, book_of
from services.calendar.queries import official
from services.requests import commands as requests
from services.requests.pricing import Ask
from services.requests.queries import Effect, Whole, effect_on_budget, price_request, whole
from services.requests.rules import Kind, State
from tests.stage import Stage, at, close_months


async def seen_by(stage: Stage, who: str, request_id: uuid.UUID) -> Whole:
    async with acting_as(stage.cast[who]):
        return await whole(request_id, await official())


async def bill(stage: Stage, letter: str, month: Month) -> Bill:
    async with acting_as(stage.cast[f"finance-{letter}"]):
        book = await book_of(stage.agency(letter), month, month)
        return book.estimate(stage.provider, month)


async def lines_of(stage: Stage, letter: str, code: str, month: Month) -> list[Line]:
    service = stage.services[letter, code].id
    return [line for line in (await bill(stage, letter, month)).lines if line.service_id == service]


async def effect(stage: Stage, before: int, after: int, effective_on: dt.date) -> Effect:
    async with acting_as(stage.cast["approver-a"]):
        ask = Ask(stage.component("GI", "bandwidth"), Decimal(before), Decimal(after))
        service = stage.services["a", "GI"].id
        book, priced = await price_request(stage.agency("a"), service, Kind.CHANGE, [ask], effective_on)
        return await effect_on_budget(stage.agency("a"), book, priced)


async def test_from_200_to_500_mbps(stage: Stage) -> None:
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    for month in (Month(2026, 10), Month(2026, 11)):
        assert (await bill(stage, "a", month)).totals.total == Decimal("73723.00")

    # 1. U submits on Friday afternoon; Monday is a holiday.
    request = await stage.draft(
        "a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=at("2026-12-04", "15:18")
    )
    await stage.as_("official-a", requests.submit, request.id, now=at("2026-12-04", "15:20"))
    assert (await seen_by(stage, "reviewer", request.id)).review_due_at == at("2026-12-08", "15:20")

    # 2. P answers: what it costs, and what it does to the year.
    quote = await stage.review(request.id, accepted=at("2026-12-08", "09:10"), quoted=at("2026-12-08", "10:05"))
    assert quote.document["outcome"] == "approved"
    assert [(item["before"], item["after"]) for item in quote.document["items"]] == [("200", "500")]
    assert quote.document["monthly"]["before"] == "15000.00"
    assert quote.document["monthly"]["after"] == "34500.00"
    assert quote.document["monthly"]["difference"] == "19500.00"
    assert quote.document["monthly"]["difference_with_vat"] == "20865.00"
    assert quote.document["first_month"]["amount"] == "25064.51"
    year = await effect(stage, 200, 500, dt.date(2026, 12, 16))
    assert year.before.forecast == Decimal("884676.00")
    assert year.after.forecast == Decimal("1083230.03")
    assert year.before.standing is not None
    assert year.after.standing is not None
    assert year.before.standing.over_by == 0
    assert year.after.standing.over_by == Decimal("83230.03")

    # 3. There is no work order before A confirms.
    assert (await seen_by(stage, "official-a", request.id)).work is None
    with pytest.raises(NotPermitted):
        await stage.as_("official-a", requests.confirm, request.id, quote.sha256, now=at("2026-12-09", "09:20"))
    with pytest.raises(NotFound):
        await stage.as_("approver-b", requests.confirm, request.id, quote.sha256, now=at("2026-12-09", "09:25"))
    assert (await seen_by(stage, "official-a", request.id)).work is None
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=at("2026-12-09", "09:30"))
    work = (await seen_by(stage, "technician", request.id)).work
    assert work is not None
    assert work.due_at == at("2026-12-11", "09:30")

    # 4. The work is done, its progress shown; December's charge follows.
    assert work.percent == 0
    await stage.as_("technician", requests.start, request.id, now=at("2026-12-09", "13:00"))
    await stage.as_("technician", requests.finish_step, request.id, 1, now=at("2026-12-09", "15:00"))
    halfway = await seen_by(stage, "official-a", request.id)
    assert halfway.work is not None
    assert (halfway.request.state, halfway.work.percent) == (State.IN_PROGRESS, 25)
    for step in (2, 3, 4):
        await stage.as_("technician", requests.finish_step, request.id, step, now=at("2026-12-11", "09:00"))
    done = await seen_by(stage, "official-a", request.id)
    assert done.request.state is State.COMPLETED
    assert [event.what for event in done.events][-2:] == ["progress", "complete"]
    lines = await lines_of(stage, "a", "GI", Month(2026, 12))
    assert [(line.quantity, line.derivation["days"], line.amount) for line in lines] == [
        (200, 15, Decimal("7258.06")),
        (500, 16, Decimal("17806.45")),
    ]
    alone = totals([line.amount for line in lines], Decimal("0.07"), Decimal("0.01"))
    assert alone == Totals(
        subtotal=Decimal("25064.51"),
        vat=Decimal("1754.52"),
        total=Decimal("26819.03"),
        withheld=Decimal("250.65"),
        net=Decimal("26568.38"),
    )
    # What the quote foresaw for the year is what the book now says.
    assert (await effect(stage, 500, 500, dt.date(2026, 12, 16))).before.forecast == Decimal("1083230.03")


@dataclass(frozen=True)
class Case:
    """Another change, with figures worked out by hand beside it."""

    letter: str
    code: str
    part: str
    to: str
    effective_on: str
    monthly: tuple[str, str, str, str]  # before, after, difference, difference with VAT
    lines: tuple[str, ...]


CASES = (
    # 100 × 85; + 50 × 65. February has 28 days: 8,500 × 10 ÷ 28 and 11,750 × 18 ÷ 28.
    Case(
        "b",
        "GI",
        "bandwidth",
        "150",
        "2027-02-11",
        ("8500.00", "11750.00", "3250.00", "3477.50"),
        ("3035.71", "7553.57"),
    ),
    # Fewer: 500 × 65 + 120 × 55 = 39,100 down to 32,500. November: × 20 ÷ 30 and × 10 ÷ 30.
    Case(
        "a",
        "EP",
        "endpoint",
        "500",
        "2026-11-21",
        ("39100.00", "32500.00", "-6600.00", "-7062.00"),
        ("26066.67", "10833.33"),
    ),
    # 500 × 20 + 300 × 16 = 14,800; 10,000 + 1,500 × 16 + 500 × 12 = 40,000; on the month's last day.
    Case(
        "a",
        "SC",
        "eps",
        "2500",
        "2027-01-31",
        ("14800.00", "40000.00", "25200.00", "26964.00"),
        ("14322.58", "1290.32"),
    ),
    # From the first of a month: one line of the new quantity. 9,000; 9,000 + 11 × 800 + 700; the add-on stays 3,000.
    Case(
        "b",
        "CO",
        "rack-unit",
        "22",
        "2027-03-01",
        ("9000.00", "18500.00", "9500.00", "10165.00"),
        ("18500.00", "3000.00"),
    ),
    # By the hour, 0.55: 744 hours × 8 and × 12; December: 360 h × 8, 384 h × 12; RAM 32 × 0.20 × 744, SSD 500 × 3.20.
    Case(
        "b",
        "VM",
        "vcpu",
        "12",
        "2026-12-16",
        ("3273.60", "4910.40", "1636.80", "1751.38"),
        ("1584.00", "2534.40", "4761.60", "1600.00"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.letter}-{case.code}-{case.to}")
async def test_other_changes(stage: Stage, case: Case) -> None:
    if case.code == "VM":
        await stage.leave_free("VM", "vcpu", "4")
    asked = at("2026-11-02", "10:00")
    request = await stage.draft(case.letter, Kind.CHANGE, case.code, {case.part: case.to}, case.effective_on, now=asked)
    await stage.as_(f"official-{case.letter}", requests.submit, request.id, now=asked)
    quote = await stage.review(request.id, accepted=at("2026-11-02", "11:00"), quoted=at("2026-11-02", "13:00"))
    monthly = quote.document["monthly"]
    figures = tuple(monthly[name] for name in ("before", "after", "difference", "difference_with_vat"))
    assert figures == case.monthly
    await stage.as_(
        f"approver-{case.letter}", requests.confirm, request.id, quote.sha256, now=at("2026-11-03", "09:00")
    )
    await stage.deliver(request.id, now=at("2026-11-04", "09:00"))
    month = Month.of(dt.date.fromisoformat(case.effective_on))
    lines = await lines_of(stage, case.letter, case.code, month)
    assert tuple(str(line.amount) for line in lines) == case.lines
    # What was quoted for the first month is what the month then costs.
    assert quote.document["first_month"]["amount"] == str(sum(Decimal(amount) for amount in case.lines))
