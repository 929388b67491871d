"""A form opened for one organisation and sent while acting for another does nothing, and loses nothing typed."""

import html
import re
from collections.abc import Awaitable, Callable

import pytest

from auth.rules import Role, system
from auth.tenancy import acting_as
from portal import csrf
from services.requests.models import ServiceRequest
from tests import cast
from tests.browsing import Browser, said
from tests.portal.pages.asking import before_s1, change
from tests.portal.pages.shop import Shop

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the form that sends everything again."""
    form = page[page.index('id="send-again"') :]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[: form.index("</form>")])
    return {html.unescape(name): html.unescape(text) for name, text in found}


async def test_nothing_is_done_for_the_other_and_it_can_be_sent_after_all(browser_for: BrowserFor, shop: Shop) -> None:
    await cast.give("official-a", "agency-b", Role.OFFICIAL)
    a, b = await cast.organisation("agency-a"), await cast.organisation("agency-b")
    official = await browser_for("official-a")
    opened = official.token()  # in one tab, for ก.
    await official.submit("/organisation", {"organisation": str(b.id)})  # in another
    kind_words = change(shop, justification='ระบบ "ประชุม" & <ทดสอบ>')
    sent = await official.submit("/requests", kind_words, token=opened)
    assert sent.status_code == 409
    assert a.name_th in said(sent)
    assert b.name_th in said(sent)
    again = fields_of(sent.text)
    assert again.items() >= kind_words.items()
    assert again["act_for"] == str(a.id)
    async with acting_as(system("test")):
        assert not await ServiceRequest.exists()

    # Kept typing in the old tab is not kept for the other either.
    typing = {"x-csrf-token": opened, "hx-request": "true"}
    assert (await official.post("/requests/typed", data=kind_words, headers=typing)).status_code == 409
    # Asking for a third organisation in the field does not help: the token says which it was.
    forged = await official.submit("/requests", kind_words | {"act_for": str(b.id)}, token=opened)
    assert forged.status_code == 409
    made_up = csrf.token(csrf.bound("another secret", a.id))
    assert (await official.submit("/requests", again | {csrf.FIELD: made_up})).status_code == 403

    switched = await official.post("/requests", data=again, headers={"sec-fetch-site": "same-origin"})
    assert (switched.status_code, switched.headers["location"]) == (307, "/requests")
    official.organisation = a.id
    done = await official.post("/requests", data=again, headers={"sec-fetch-site": "same-origin"})
    assert done.status_code == 303
    assert f"ท่านดำเนินการในนาม {a.name_th}" in said(await official.follow(done))
    async with acting_as(system("test")):
        [made] = await ServiceRequest.all()
    assert (made.agency_id, made.justification) == (a.id, kind_words["justification"])


async def test_a_password_is_not_written_into_the_page(browser_for: BrowserFor, shop: Shop) -> None:
    await cast.give("official-a", "agency-b", Role.OFFICIAL)
    b = await cast.organisation("agency-b")
    official = await browser_for("official-a")
    opened = official.token()
    await official.submit("/organisation", {"organisation": str(b.id)})
    typed = {"username": "reader", "secret": "hunter-2570"}
    sent = await official.submit("/usage/collectors", typed, token=opened)
    assert sent.status_code == 409
    assert fields_of(sent.text).items() >= {"username": "reader"}.items()
    assert "hunter-2570" not in sent.text
    assert "รหัสผ่านไม่ถูกส่งไปด้วย" in said(sent)
    assert "รหัสผ่าน" not in said(await official.submit("/requests", typed | {"secret": ""}, token=opened))


async def test_what_is_ones_own_works_whichever_organisation_one_acts_for(browser_for: BrowserFor, shop: Shop) -> None:
    await cast.give("official-a", "agency-b", Role.OFFICIAL)
    b = await cast.organisation("agency-b")
    official = await browser_for("official-a")
    opened = official.token()
    await official.submit("/organisation", {"organisation": str(b.id)})
    a = await cast.organisation("agency-a")
    back = await official.submit("/organisation", {"organisation": str(a.id)}, token=opened)
    assert back.status_code == 303
    await official.submit("/organisation", {"organisation": str(b.id)})
    assert (await official.submit("/sign-out", token=opened)).status_code < 400
    assert (await official.get("/account")).status_code == 303
