"""Sessions at the door: how they end, and that a revoked role acts on the next request."""

import datetime as dt
from collections.abc import Awaitable, Callable

import pytest

from auth.organisations.models import Organisation
from auth.rules import Role, system
from auth.sessions.models import Session
from auth.tenancy import acting_as
from tests import cast
from tests.browsing import SESSION, Browser, said, sign_in

BrowserFor = Callable[..., Awaitable[Browser]]


async def move_session(**changes: dt.timedelta) -> None:
    async with acting_as(system("test")):
        for session in await Session.all():
            for name, by in changes.items():
                setattr(session, name, getattr(session, name) + by)
            await session.save()


@pytest.mark.parametrize(
    ("changes", "is_alive"),
    [
        ({"last_seen_at": -dt.timedelta(minutes=29)}, True),
        ({"last_seen_at": -dt.timedelta(minutes=31)}, False),
        ({"expires_at": -dt.timedelta(hours=11, minutes=59)}, True),
        ({"expires_at": -dt.timedelta(hours=12, seconds=1)}, False),
    ],
)
async def test_a_session_ends_when_idle_or_old(
    browser_for: BrowserFor, changes: dict[str, dt.timedelta], is_alive: bool
) -> None:
    official = await browser_for("official-a")
    await move_session(**changes)
    response = await official.get("/account")
    if is_alive:
        assert response.status_code == 200
    else:
        assert response.headers["location"] == "/sign-in/again?next=%2Faccount&ended=1"
        assert "หมดเวลาการใช้งาน" in said(await official.follow(response))


async def test_a_visit_keeps_a_session_alive(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    for _ in range(3):
        await move_session(last_seen_at=-dt.timedelta(minutes=20))
        assert (await official.get("/account")).status_code == 200


async def test_a_revoked_role_acts_on_the_next_request(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    assert (await admin.get("/users")).status_code == 200
    await cast.give("agency-admin-a", "agency-a", Role.OFFICIAL)
    await cast.take_away("agency-admin-a", Role.AGENCY_ADMIN)
    assert (await admin.get("/users")).status_code == 403


async def test_who_has_no_role_left_is_a_newcomer_again(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    await cast.take_away("official-a", Role.OFFICIAL)
    assert (await official.get("/")).headers["location"] == "/access"


async def test_signing_out_kills_the_session_on_the_server(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    token = official.cookies[SESSION]
    left = await official.submit("/sign-out")
    assert left.status_code == 200
    assert SESSION not in official.cookies
    thief = await browser_for()
    thief.cookies.set(SESSION, token, domain="portal.test", path="/")
    assert (await thief.get("/account")).status_code == 303


async def test_signing_out_everywhere(browser_for: BrowserFor) -> None:
    here, there, somebody_else = [await browser_for(who) for who in ("official-a", "official-a", "official-b")]
    assert (await here.submit("/sign-out/everywhere")).status_code == 200
    assert (await there.get("/account")).status_code == 303
    assert (await somebody_else.get("/account")).status_code == 200


async def test_ending_one_other_session(browser_for: BrowserFor) -> None:
    here, there, somebody_else = [await browser_for(who) for who in ("official-a", "official-a", "official-b")]
    async with acting_as(system("test")):
        sessions = {session.csrf_secret: session.id for session in await Session.all()}
    ended = await here.submit(f"/account/sessions/{sessions[there.csrf_secret]}/end")
    assert ended.headers["location"] == "/account"
    assert (await there.get("/account")).status_code == 303
    foreign = await here.submit(f"/account/sessions/{sessions[somebody_else.csrf_secret]}/end")
    assert foreign.status_code == 404
    assert (await somebody_else.get("/account")).status_code == 200


async def test_switching_between_ones_organisations(browser_for: BrowserFor) -> None:
    await cast.give("official-a", "agency-b", Role.FINANCE)
    official = await browser_for("official-a")
    theirs = await cast.organisation("agency-b")
    page = await official.get("/account")
    assert f'value="{theirs.id}"' in page.text
    switched = await official.submit("/organisation", {"organisation": str(theirs.id)})
    page = await official.follow(switched)
    assert theirs.name_th in said(page)
    third = await cast.organisation("provider")
    assert (await official.submit("/organisation", {"organisation": str(third.id)})).status_code == 404


async def test_the_account_shows_every_device(browser_for: BrowserFor) -> None:
    here = await browser_for("official-a")
    await browser_for("official-a")
    text = said(await here.get("/account"))
    assert text.count("ออกจากระบบในอุปกรณ์นั้น") == 1
    assert "อุปกรณ์นี้" in text


async def test_the_cookie_is_host_bound_and_out_of_scripts_reach(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    left = await official.submit("/sign-out")
    [cookie] = [each for each in left.headers.get_list("set-cookie") if each.startswith(SESSION)]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)


async def test_only_a_hash_of_the_token_is_stored(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    async with acting_as(system("test")):
        session = await Session.all().first()
    assert official.cookies[SESSION] not in repr(dict(session))
    assert len(official.cookies[SESSION]) >= 43  # 256 bits


async def test_two_sign_ins_have_two_sessions(browser_for: BrowserFor) -> None:
    browser = await browser_for("official-a")
    first = browser.cookies[SESSION]
    await sign_in(browser, "official-a")
    assert browser.cookies[SESSION] != first
    assert await Organisation.all().count() == 0, "outside of a unit of work nothing is visible"
