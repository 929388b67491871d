"""Terms and bounds apply from a day on; a request is held to those of the day it takes effect, a quote to its own."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from auth.errors import Invalid, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.months import bangkok_date
from services.calendar.queries import official
from services.catalogue import commands as catalogue
from services.catalogue.commands import TERMS
from services.catalogue.models import OfferingTerms
from services.catalogue.queries import terms_of, terms_on
from services.catalogue.rules import Bounds, coming, in_force
from services.requests import commands as requests
from services.requests.models import WorkOrder
from services.requests.rules import EarlierNotAgreed, Kind, State, first_day
from services.subscriptions.queries import subscription
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-08", "10:00")
NEW_YEAR = dt.date(2027, 1, 4)


@dataclass(frozen=True)
class Version:
    effective_from: dt.date
    words: str


async def _facts(stage: Stage, **other: Any) -> dict[str, Any]:
    async with acting_as(system("test")):
        [terms] = (await terms_of([stage.catalogue.offerings["GI"].id])).values()
    return {name: getattr(terms[-1], name) for name in TERMS} | other


async def _promise(stage: Stage, day: dt.date, *, who: str = "manager", reason: str = "", **other: Any) -> None:
    gi = stage.catalogue.offerings["GI"].id
    facts = await _facts(stage, **other)
    await stage.as_(who, catalogue.set_terms, gi, facts, day, reason=reason, now=NOW)


def test_of_one_day_the_last_version_counts_and_before_the_first_the_first() -> None:
    first, second, third, fourth = (
        Version(dt.date(2026, 1, 1), "a"),
        Version(dt.date(2026, 6, 1), "b"),
        Version(dt.date(2026, 6, 1), "c"),
        Version(dt.date(2026, 9, 1), "d"),
    )
    versions = (first, second, third, fourth)
    for day, found in (
        (dt.date(2025, 1, 1), first),
        (dt.date(2026, 5, 31), first),
        (dt.date(2026, 6, 1), third),
        (dt.date(2026, 8, 31), third),
        (dt.date(2030, 1, 1), fourth),
    ):
        assert in_force(versions, day) is found
    assert coming(versions, dt.date(2026, 5, 31)) is third
    assert coming(versions, dt.date(2026, 6, 1)) is fourth
    assert coming(versions, dt.date(2026, 9, 1)) is None


async def test_the_first_day_keeps_the_lead_time_of_that_very_day(stage: Stage) -> None:
    """By hand, from Tue 8 Dec 2026: Thu 10 Dec is a holiday; five working days end Wed 16 Dec."""
    async with acting_as(system("test")):
        calendar = await official()
    today, since = dt.date(2026, 12, 8), dt.date(2024, 10, 1)
    assert first_day(calendar, today, [(since, 5)]) == dt.date(2026, 12, 16)
    # Longer from the 14th on: no day before the 14th keeps five, and from then on it takes ten.
    assert first_day(calendar, today, [(since, 5), (dt.date(2026, 12, 14), 10)]) == dt.date(2026, 12, 23)
    # Shorter from the 14th on: that day itself keeps one.
    assert first_day(calendar, today, [(since, 5), (dt.date(2026, 12, 14), 1)]) == dt.date(2026, 12, 14)
    # Longer only after the five are over: the 16th still does.
    assert first_day(calendar, today, [(since, 5), (dt.date(2026, 12, 17), 10)]) == dt.date(2026, 12, 16)


async def test_the_lead_time_is_that_of_the_day_asked_for(stage: Stage) -> None:
    await _promise(stage, NEW_YEAR, change_lead_working_days=30)
    soon = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "300"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, soon.id, now=NOW)
    late = await stage.draft("b", Kind.CHANGE, "GI", {"bandwidth": "300"}, "2027-01-05", now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.as_("official-b", requests.submit, late.id, now=NOW)
    assert "effective_on" in refused.value.fields
    # The reviewer who moves the day into the new terms must agree to it as well.
    await stage.as_("reviewer", requests.accept, soon.id, now=NOW)
    for kind in ("request", "capacity", "cost"):
        await stage.as_("reviewer", requests.check, soon.id, kind, True, now=NOW)
    with pytest.raises(EarlierNotAgreed):
        await stage.as_("reviewer", requests.quote, soon.id, effective_on=dt.date(2027, 1, 5), now=NOW)
    await stage.as_("reviewer", requests.quote, soon.id, now=NOW)


async def test_a_quote_freezes_its_terms_and_falls_with_others_for_its_day(stage: Stage) -> None:
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    facts = await _facts(stage)
    assert quote.document["terms"] == {
        "availability_pct": "99.9",
        "exclusions_th": facts["exclusions_th"],
        "exclusions_en": facts["exclusions_en"],
        "data_kept_days": 30,
    }
    # Other words about it, and another level from a later day on, leave what was quoted as it is.
    await _promise(stage, bangkok_date(NOW), summary_en="Faster")
    await _promise(stage, NEW_YEAR, availability_pct=Decimal("99.95"))
    async with acting_as(system("quotes")):
        assert await requests.void_stale(now=NOW) == 0
    # Another lead time on its day does not.
    await _promise(stage, dt.date(2026, 12, 16), change_lead_working_days=2)
    outcome = await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    assert isinstance(outcome, requests.Voided)
    assert (await stage.request(request.id)).state is State.UNDER_REVIEW
    for kind in ("request", "capacity", "cost"):
        await stage.as_("reviewer", requests.check, request.id, kind, True, now=NOW)
    again = await stage.as_("reviewer", requests.quote, request.id, agree_earlier=True, now=NOW)
    order = await stage.as_("approver-a", requests.confirm, request.id, again.sha256, now=NOW)
    assert isinstance(order, WorkOrder)
    assert order.lead_working_days == again.document["lead_working_days"] == 2


async def test_bounds_are_those_of_the_day_asked_for(stage: Stage) -> None:
    part = stage.component("GI", "bandwidth")
    wider = Bounds(Decimal(50), Decimal(2000), Decimal(50))
    await stage.as_("provider-finance", catalogue.set_bounds, part.id, wider, NEW_YEAR, now=NOW)
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "310"}, "2026-12-16", now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.draft("b", Kind.CHANGE, "GI", {"bandwidth": "310"}, "2027-01-04", now=NOW)
    assert refused.value.fields == {str(part.id): "This does not fit the steps in which it can be ordered."}
    await stage.draft("b", Kind.CHANGE, "GI", {"bandwidth": "350"}, "2027-01-04", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    with pytest.raises(Invalid):
        await stage.review(request.id, accepted=NOW, quoted=NOW, effective_on=dt.date(2027, 1, 4))


async def test_days_that_have_passed_need_a_manager_and_a_reason(stage: Stage) -> None:
    past, part = dt.date(2026, 12, 1), stage.component("GI", "bandwidth").id
    wider = Bounds(Decimal(50), None, Decimal(50))
    for command, subject, said in (
        (catalogue.set_terms, stage.catalogue.offerings["GI"].id, await _facts(stage, data_kept_days=60)),
        (catalogue.set_bounds, part, wider),
    ):
        with pytest.raises(NotPermitted):
            await stage.as_("provider-finance", command, subject, said, past, reason="ตามมติ", now=NOW)
        with pytest.raises(Invalid) as refused:
            await stage.as_("manager", command, subject, said, past, reason=" ", now=NOW)
        assert "reason" in refused.value.fields
        await stage.as_("manager", command, subject, said, past, reason="ตามมติ", now=NOW)
        with pytest.raises(Invalid) as refused:  # nothing new
            await stage.as_("manager", command, subject, said, past, reason="ตามมติ", now=NOW)
        assert "effective_from" in refused.value.fields
        with pytest.raises(NotPermitted):
            await stage.as_("official-a", command, subject, said, NEW_YEAR, now=NOW)


async def test_a_service_in_use_has_what_is_in_force_and_knows_what_is_announced(stage: Stage) -> None:
    await _promise(stage, NEW_YEAR, availability_pct=Decimal("99.95"))
    service = stage.services["a", "GI"]
    async with acting_as(stage.cast["official-a"]):
        before = await subscription(service.id, at=NOW)
        after = await subscription(service.id, at=at("2027-01-04", "00:00"))
        assert (await terms_on(service.offering_id, dt.date(2027, 1, 3))).availability_pct == Decimal("99.9")
    assert (before.terms.availability_pct, after.terms.availability_pct) == (Decimal("99.9"), Decimal("99.95"))
    assert before.next_terms is not None
    assert (before.next_terms.effective_from, after.next_terms) == (NEW_YEAR, None)


async def test_versions_are_never_changed_and_speak_of_ones_own_only(stage: Stage) -> None:
    gi = stage.catalogue.offerings["GI"].id
    for sql in ("UPDATE offering_terms SET lead_working_days = 0", "DELETE FROM component_bounds"):
        with pytest.raises(Exception, match=r"permission denied|never changed"):
            async with acting_as(stage.cast["manager"]):
                await rows(sql)
    with pytest.raises(Exception, match="row-level security"):
        async with acting_as(stage.cast["official-a"]):
            await OfferingTerms.create(
                provider_id=stage.provider,
                offering_id=gi,
                number=2,
                effective_from=NEW_YEAR,
                availability_pct=Decimal(1),
                lead_working_days=1,
                made_by="x",
                made_at=NOW,
            )
