"""A month's draft is looked at before it is issued; what is given back stands on it; numbers have no gaps."""

import asyncio
import random
import uuid
from decimal import Decimal

import asyncpg
import pytest

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as, unit_of_work
from billing.credits.commands import give, withdraw
from billing.credits.models import CreditKind
from billing.months import Month
from billing.statements.closing import (
    Draft,
    NotReviewed,
    draft_of,
    drafts_of,
    issue_reviewed,
    review,
    waiting_for_review,
    without_invoice,
)
from billing.statements.closing_rules import Policy
from billing.statements.commands import MonthNotOver, StaleDraft, issue
from billing.statements.models import Statement, StatementLine
from billing.statements.policies import policy_of, set_policy
from portal.embedded_postgres import SUPERUSER, Address
from services.subscriptions.commands import set_quantities
from tests.stage import Stage, at

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
CLOSING = system("month end")
FINANCE = "provider-finance"


async def seen(stage: Stage, letter: str, month: Month) -> Draft:
    async with acting_as(stage.cast[FINANCE]):
        draft = await draft_of(stage.agency(letter), stage.provider, month)
    assert draft is not None
    return draft


async def looked_at(stage: Stage, letter: str, month: Month, note: str = "") -> None:
    draft = await seen(stage, letter, month)
    await stage.as_(
        FINANCE, review, stage.agency(letter), stage.provider, month, draft=draft.digest, note=note, now=month.ends_at
    )


async def test_a_draft_is_issued_once_it_was_looked_at(stage: Stage) -> None:
    agency, provider = stage.agency("a"), stage.provider
    with pytest.raises(NotReviewed):
        await stage.as_(FINANCE, issue_reviewed, agency, provider, OCTOBER, now=OCTOBER.ends_at)
    await looked_at(stage, "a", OCTOBER, "บริการเริ่มใช้เดือนแรก")
    assert (await seen(stage, "a", OCTOBER)).state == "reviewed"
    bill = await stage.as_(FINANCE, issue_reviewed, agency, provider, OCTOBER, now=OCTOBER.ends_at)
    draft = await seen(stage, "a", OCTOBER)
    assert draft.state == "issued"
    assert draft.bill.totals == bill.totals
    again = await stage.as_(FINANCE, issue_reviewed, agency, provider, OCTOBER, now=at("2026-12-01"))
    assert again.number == "INV-P01-2570-00001"


async def test_a_review_holds_for_the_draft_that_was_seen(stage: Stage) -> None:
    agency, provider = stage.agency("a"), stage.provider
    await looked_at(stage, "a", OCTOBER, "บริการเริ่มใช้เดือนแรก")
    before = await seen(stage, "a", OCTOBER)
    service = stage.services["a", "GI"].id
    credit = await stage.as_(
        FINANCE,
        give,
        service,
        OCTOBER,
        CreditKind.GOODWILL,
        Decimal("100.00"),
        reason="ชดเชยการย้ายสาย",
        now=at("2026-11-02"),
    )
    assert (await seen(stage, "a", OCTOBER)).state == "draft"
    with pytest.raises(NotReviewed):
        await stage.as_(FINANCE, issue_reviewed, agency, provider, OCTOBER, now=OCTOBER.ends_at)
    with pytest.raises(NotReviewed):
        await stage.as_(
            FINANCE, review, agency, provider, OCTOBER, draft=before.digest, note="ดูแล้ว ๆ", now=at("2026-11-02")
        )
    with pytest.raises(StaleDraft):
        await stage.as_(FINANCE, issue, agency, provider, OCTOBER, now=OCTOBER.ends_at, reviewed=before.digest)
    await stage.as_(FINANCE, withdraw, credit.id, now=at("2026-11-02"))
    assert (await seen(stage, "a", OCTOBER)).state == "reviewed"


async def test_a_month_that_runs_is_not_reviewed(stage: Stage) -> None:
    draft = await seen(stage, "a", OCTOBER)
    with pytest.raises(MonthNotOver):
        await stage.as_(
            FINANCE,
            review,
            stage.agency("a"),
            stage.provider,
            OCTOBER,
            draft=draft.digest,
            note="ดูแล้ว ๆ",
            now=at("2026-10-31"),
        )


async def test_a_large_difference_stands_out_and_needs_a_note(stage: Stage) -> None:
    async with acting_as(system("test")):
        await set_quantities(
            stage.services["a", "GI"].id,
            stage.catalogue.quantities("GI", {"bandwidth": "500"}),
            at("2026-11-16", "00:00"),
            origin="คำร้อง",
        )
    await stage.as_(FINANCE, issue, stage.agency("a"), stage.provider, OCTOBER, now=OCTOBER.ends_at)
    draft = await seen(stage, "a", NOVEMBER)
    [large] = draft.large
    # 15 of 30 days at each price: 7,500 + 17,250 against 15,000.
    assert (large.before, large.now, large.change) == (
        Decimal("15000.00"),
        Decimal("24750.00"),
        Decimal("9750.00"),
    )
    assert large.share == Decimal("0.65")
    assert len(draft.differences) == 3
    with pytest.raises(Invalid) as refused:
        await looked_at(stage, "a", NOVEMBER)
    assert set(refused.value.fields) == {"note"}
    await looked_at(stage, "a", NOVEMBER, "เพิ่มความเร็วเป็น 500 Mbps ตั้งแต่ 16 พ.ย.")


async def test_credits_are_refused_that_cannot_be(stage: Stage) -> None:
    service = stage.services["a", "GI"].id

    async def given(amount: str, reason: str = "ชดเชยตาม SLA") -> None:
        await stage.as_(
            FINANCE, give, service, OCTOBER, CreditKind.SLA, Decimal(amount), reason=reason, now=at("2026-11-02")
        )

    for amount, field in (("0", "amount"), ("-1", "amount"), ("0.005", "amount"), ("15000.01", "amount")):
        with pytest.raises(Invalid) as refused:
            await given(amount)
        assert set(refused.value.fields) == {field}
    with pytest.raises(Invalid):
        await given("1.00", reason="ดี")
    await given("15000.00")
    assert (await seen(stage, "a", OCTOBER)).bill.totals.subtotal == Decimal("53900.00")
    with pytest.raises(Invalid):  # nothing is left of the charge
        await given("0.01")
    await stage.as_(FINANCE, issue, stage.agency("a"), stage.provider, OCTOBER, now=OCTOBER.ends_at)
    with pytest.raises(Conflict):
        await given("1.00")
    async with acting_as(stage.cast["finance-a"]):
        [line] = await StatementLine.filter(amount__lt=0)
    assert (line.amount, line.derivation["credit"]["given_as"]) == (Decimal("-15000.00"), "provider_finance")
    with pytest.raises(Conflict):
        await stage.as_(FINANCE, withdraw, uuid.UUID(line.derivation["credit"]["id"]), now=at("2026-12-01"))


async def test_an_agency_gives_itself_nothing(stage: Stage) -> None:
    with pytest.raises(NotPermitted):
        await stage.as_(
            "finance-a",
            give,
            stage.services["a", "GI"].id,
            OCTOBER,
            CreditKind.SLA,
            Decimal("1.00"),
            reason="ขอคืนเงิน",
            now=at("2026-11-02"),
        )


async def test_invoices_wait_for_a_review_unless_the_provider_does_without(stage: Stage) -> None:
    async with acting_as(CLOSING):
        assert await without_invoice(OCTOBER) == []
        assert len(await without_invoice(OCTOBER, only_automatic=False)) == 2
        assert await waiting_for_review(OCTOBER) == {stage.provider: {OCTOBER: 2}}
    async with acting_as(stage.cast[FINANCE]):
        assert (await policy_of(stage.provider)).needs_review
        assert len(await drafts_of(stage.provider, OCTOBER)) == 2
    await stage.as_(FINANCE, set_policy, stage.provider, Policy(needs_review=False), now=at("2026-10-02"))
    async with acting_as(CLOSING):
        assert len(await without_invoice(OCTOBER)) == 2
        assert await waiting_for_review(OCTOBER) == {}
    with pytest.raises(Invalid):
        await stage.as_(FINANCE, set_policy, stage.provider, Policy(due_days=400), now=at("2026-10-02"))


async def test_numbers_run_from_one_under_eight_issuers_some_of_which_are_killed(
    stage: Stage, cluster: Address, database: str
) -> None:
    months = [OCTOBER]
    for _ in range(7):
        months.append(months[-1].next)
    wanted = [(letter, month) for letter in "ab" for month in months]
    left = asyncio.Queue[tuple[str, Month]]()
    for each in wanted + wanted:  # everything twice
        left.put_nowait(each)
    killer = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    killed = 0

    async def issuer() -> None:
        while not left.empty():
            letter, month = left.get_nowait()
            agency = stage.agency(letter)
            try:
                await unit_of_work(
                    CLOSING,
                    lambda agency=agency, month=month: issue(  # type: ignore[misc]
                        agency, stage.provider, month, by=CLOSING, now=months[-1].ends_at
                    ),
                )
            except Exception:  # noqa: BLE001 - a killed connection shows in many ways; the work is done again
                left.put_nowait((letter, month))
                await asyncio.sleep(0.05)

    async def kill() -> None:
        nonlocal killed
        chance = random.Random(7)  # noqa: S311 - no secret
        while killed < 6 and not left.empty():
            await asyncio.sleep(0.03)
            found = await killer.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND state <> 'idle'"
                " AND query LIKE '%counter%' OR datname = $1 AND query LIKE '%statement_line%'",
                database,
            )
            if found:
                await killer.execute("SELECT pg_terminate_backend($1)", chance.choice(found)["pid"])
                killed += 1

    try:
        await asyncio.gather(*(issuer() for _ in range(8)), kill())
    finally:
        await killer.close()
    async with acting_as(system("test")):
        issued = await Statement.all().order_by("number")
    assert len(issued) == len(wanted)
    assert sorted(s.number for s in issued) == [f"INV-P01-2570-{n:05d}" for n in range(1, len(wanted) + 1)]
    assert killed > 0
