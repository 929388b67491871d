"""A draft is saved as one types, whatever was typed; nothing of it is lost, and it is in nobody's way."""

import re
import uuid
from collections.abc import Awaitable, Callable

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from portal import csrf
from services.requests.models import RequestItem, ServiceRequest
from services.requests.rules import State
from tests.browsing import PUBLIC_URL, Browser, said
from tests.portal.pages.asking import ask, before_s1, change, field, stored
from tests.portal.pages.shop import Shop

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


async def kept(official: Browser, fields: dict[str, str]):
    """Send a form as it is being typed: its token comes in a header."""
    headers = {"origin": PUBLIC_URL, "sec-fetch-site": "same-origin", csrf.HEADER: official.token()}
    return await official.post("/requests/typed", data=fields, headers=headers)


async def form_of(official: Browser, shop: Shop) -> dict[str, str]:
    """Return a form's fields as its page begins them."""
    shown = await official.get(f"/requests/new?service={shop.services['GI'].id}")
    [draft] = re.findall(r'name="draft" value="([0-9a-f-]{36})"', shown.text)
    assert 'hx-post="/requests/typed"' in shown.text
    return {"kind": "change", "service": str(shop.services["GI"].id), "draft": draft}


async def test_typing_keeps_one_draft_with_every_word_of_it(shop: Shop, browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    fields = await form_of(official, shop)
    speed = field(shop, "GI", "bandwidth")
    typed = fields | {speed: "ห้าร้อย", "effective_on": "เร็ว ๆ นี้", "justification": "รอง", "asks_earlier": "yes"}
    for words in ("รอง", "รองรับ", "รองรับระบบประชุม"):
        answer = await kept(official, typed | {"justification": words})
        assert answer.status_code == 200, said(answer)
    assert "A01-2570-0001" in said(answer)
    async with acting_as(system("tests")):
        [request] = await ServiceRequest.all()
        assert await RequestItem.all().count() == 0
    assert (str(request.id), request.state) == (fields["draft"], State.DRAFT)
    again = await official.get(f"/requests/{request.id}/edit")
    for words in ("ห้าร้อย", "เร็ว ๆ นี้", "รองรับระบบประชุม"):
        assert words in again.text, words
    assert re.search(r'name="asks_earlier"[^>]* checked', again.text)
    # The provider and other agencies see nothing of it.
    for who in ("reviewer", "official-b"):
        assert (await (await browser_for(who)).get(f"/requests/{request.id}")).status_code == 404


async def test_what_is_only_typed_is_not_sent_unseen(shop: Shop, browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    fields = await form_of(official, shop)
    await kept(official, fields | {"justification": "รองรับ"})
    path = f"/requests/{fields['draft']}"
    page = await official.get(path)
    assert f'action="{path}/submission"' not in page.text
    assert (await official.submit(f"{path}/submission")).status_code == 422
    assert (await stored(path)).state is State.DRAFT


async def test_the_form_goes_on_with_the_draft_it_was_kept_as(shop: Shop, browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    fields = await form_of(official, shop)
    await kept(official, fields | {"justification": "รองรับ"})
    path = await ask(official, change(shop) | {"draft": fields["draft"]})
    assert path == f"/requests/{fields['draft']}"
    async with acting_as(system("tests")):
        assert await ServiceRequest.all().count() == 1
    assert ((await stored(path)).state, (await stored(path)).typed) == (State.SUBMITTED, None)
    # What comes too late changes nothing, and the same form again leads to the request.
    assert (await kept(official, fields | {"justification": "ช้าไป"})).status_code == 409
    again = await official.submit("/requests", change(shop) | {"draft": fields["draft"]})
    assert again.headers["location"] == path
    assert (await stored(path)).justification == "รองรับระบบประชุมทางไกล"


async def test_a_draft_remembers_that_an_earlier_day_was_asked_for(shop: Shop, browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop, effective_on="4/12/2569", asks_earlier="yes", act="save"))
    assert (await stored(path)).asks_earlier
    assert re.search(r'name="asks_earlier"[^>]* checked', (await official.get(f"{path}/edit")).text)
    assert (await official.submit(f"{path}/submission")).status_code == 303
    assert (await stored(path)).asks_earlier


async def test_nobody_keeps_a_draft_under_anothers_number(shop: Shop, browser_for: BrowserFor) -> None:
    official, other = await browser_for("official-a"), await browser_for("official-b")
    fields = await form_of(official, shop)
    await kept(official, fields | {"justification": "ของเรา"})
    offering = shop.catalogue.offerings["GI"].id
    theirs = {"kind": "new", "offering": str(offering), "draft": fields["draft"], "justification": "ของเขา"}
    assert (await kept(other, theirs)).status_code == 409
    assert (await kept(other, fields | {"draft": str(uuid.uuid4())})).status_code == 404
    assert (await kept(await browser_for("finance-a"), fields)).status_code == 403
    assert (await stored(f"/requests/{fields['draft']}")).typed == {"justification": "ของเรา"}
