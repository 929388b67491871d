"""Confirming by a form that is sent twice at once: one effect, and both browsers are led to the same place."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.browsing import Browser
from tests.portal.pages.asking import stand
from tests.services.requests.cloning import NOW, awaiting
from tests.services.requests.test_a_thousand_races import THROUGH_PAGES, one_effect_each
from tests.stage import Stage

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_form_sent_twice_at_once_confirms_once(
    stage: Stage, browser_for: Callable[..., Awaitable[Browser]], part: int
) -> None:
    waiting = await awaiting(stage, THROUGH_PAGES // PARTS)
    approver = await browser_for("approver-a")
    await stand(NOW, approver)
    for each in waiting:
        path, token = f"/requests/{each.request.id}", approver.token()
        clicks = [approver.submit(f"{path}/confirmation", {"sha256": each.sha256}, token=token) for _ in range(2)]
        assert {(answer.status_code, answer.headers.get("location")) for answer in await asyncio.gather(*clicks)} == {
            (303, path)
        }
    await one_effect_each([each.request.id for each in waiting])
