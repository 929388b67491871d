"""What one side must not learn or do while a request is still the other's alone, and who counts as having asked."""

import datetime as dt
from collections.abc import Awaitable, Callable

import pytest

from auth.audit.models import AuditRecord
from auth.errors import NotFound, SameHands
from auth.rules import system
from auth.tenancy import acting_as
from services.requests import commands
from services.requests.models import RequestEvent, ServiceRequest
from services.requests.rules import Kind
from tests.browsing import Browser
from tests.portal.pages.asking import stand
from tests.stage import Stage, at

BrowserFor = Callable[..., Awaitable[Browser]]

NOW = at("2026-12-04", "15:20")
SECRET = "แผนที่ยังไม่เปิดเผย"


async def _draft(stage: Stage, now: dt.datetime = NOW) -> ServiceRequest:
    return await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "300"}, "2026-12-20", now=now, label=SECRET)


async def test_the_provider_says_nothing_to_a_draft(stage: Stage, browser_for: BrowserFor) -> None:
    draft = await _draft(stage)
    reviewer = await browser_for("reviewer")
    await stand(NOW, reviewer)
    answer = await reviewer.submit(f"/requests/{draft.id}/messages", {"text": "เห็นแล้ว"})
    assert answer.status_code == 404
    with pytest.raises(NotFound):
        await stage.as_("reviewer", commands.say, draft.id, "เห็นแล้ว", now=NOW)
    async with acting_as(system("tests")):
        assert await RequestEvent.filter(request_id=draft.id, what="message").count() == 0


async def test_a_draft_is_no_news_to_the_provider_not_even_when_it_is_taken_back(
    stage: Stage, browser_for: BrowserFor
) -> None:
    draft = await _draft(stage)
    await stage.as_("official-a", commands.say, draft.id, "จดไว้ก่อน", now=NOW)
    await stage.as_("official-a", commands.withdraw, draft.id, now=NOW)
    reviewer = await browser_for("reviewer")
    await stand(NOW, reviewer)
    assert SECRET not in (await reviewer.get("/news")).text
    assert (await reviewer.get(f"/requests/{draft.id}")).status_code == 404


async def test_who_changed_and_submitted_anothers_draft_does_not_confirm_it(
    stage: Stage, browser_for: BrowserFor
) -> None:
    draft = await _draft(stage)
    more = stage.catalogue.quantities("GI", {"bandwidth": "400"})
    day = dt.date(2026, 12, 20)
    await stage.as_("approver-a", commands.edit, draft.id, asked=more, effective_on=day, justification="…", now=NOW)
    await stage.as_("approver-a", commands.submit, draft.id, now=NOW)
    quote = await stage.review(draft.id, accepted=NOW, quoted=NOW)
    with pytest.raises(SameHands):
        await stage.as_("approver-a", commands.confirm, draft.id, quote.sha256, now=NOW)
    approver = await browser_for("approver-a")
    await stand(NOW, approver)
    page = await approver.get(f"/requests/{draft.id}/quote")
    assert f'action="/requests/{draft.id}/confirmation"' not in page.text


async def test_strangers_leave_no_denials_in_the_audit_trail(stage: Stage, browser_for: BrowserFor) -> None:
    stranger = await browser_for()
    async with acting_as(system("tests")):
        before = await AuditRecord.all().count()
    assert (await stranger.get("/language/xx")).status_code == 404
    async with acting_as(system("tests")):
        assert await AuditRecord.all().count() == before
