"""The door every request passes: sign-in, form tokens, one effect per form, rollback, denials on record."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from auth.audit.models import AuditRecord
from auth.errors import Conflict, NotFound, StaleSignIn
from auth.organisations.models import Organisation
from auth.rules import Permission, system
from auth.tenancy import acting_as, record
from portal import csrf
from portal.edge import MACHINE, PUBLIC, SIGNED_IN, Page, page, route
from portal.i18n import gettext
from portal.visit import Visit
from tests import cast
from tests.browsing import PUBLIC_URL, Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]
READ = Permission.REQUESTS_READ


def install(app: Starlette, *pages: Page) -> None:
    """Put pages of the test's own before the portal's."""
    for each in pages:
        app.router.routes.insert(0, route(each))


async def denials() -> list[AuditRecord]:
    async with acting_as(system("test")):
        return await AuditRecord.filter(action="access.denied").order_by("at", "number")


async def settings_of(code: str) -> str:
    return (await cast.organisation(code)).phone


async def dial(visit: Visit) -> Response:
    """Change something and lead on, as most forms do."""
    number = int((await Organisation.get(id=visit.seat.id)).phone.replace(" ", "") or 0)
    await Organisation.filter(id=visit.seat.id).update(phone=str(number + 1))
    record("test.dialled", at=visit.now)
    visit.flash("dialled")
    return visit.redirect("home")


@pytest.fixture
async def agency(app: Starlette, browser_for: BrowserFor) -> Browser:
    """An official's browser, and a form to send."""
    install(app, page("POST", "/dial", dial, READ, name="dial"))
    async with acting_as(system("test")):
        await Organisation.filter(code="agency-a").update(phone="0")
    return await browser_for("official-a")


# Declaring


@pytest.mark.parametrize("access", [None, "requests_read", True])
def test_a_route_without_a_permission_cannot_be_declared(access: Any) -> None:
    with pytest.raises(TypeError, match="must name a permission"):
        page("GET", "/open", dial, access, name="open")


def test_only_what_forms_and_links_send() -> None:
    with pytest.raises(TypeError, match="GET and POST"):
        page("DELETE", "/gone", dial, PUBLIC, name="gone")


# Strangers


async def test_a_stranger_is_led_to_sign_in_and_back(browser_for: BrowserFor) -> None:
    response = await (await browser_for()).get("/account")
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-in?next=%2Faccount"


async def test_from_a_form_a_stranger_passes_a_page_of_ours_first(browser_for: BrowserFor) -> None:
    """Browsers forbid a form to lead to the identity provider's site (form-action)."""
    stranger = await browser_for()
    sent = await stranger.submit("/organisation", {"organisation": "x"}, headers={"referer": f"{PUBLIC_URL}/account"})
    assert sent.headers["location"] == "/sign-in/again?next=%2Faccount"
    searched = await stranger.get("/audit?person=x")
    assert searched.headers["location"] == "/sign-in/again?next=%2Faudit%3Fperson%3Dx"


async def test_htmx_is_told_of_a_redirect_in_its_own_way(browser_for: BrowserFor) -> None:
    headers = {"hx-request": "true", "hx-current-url": f"{PUBLIC_URL}/users"}
    response = await (await browser_for()).get("/account", headers=headers)
    assert response.status_code == 200
    assert response.headers["hx-redirect"] == "/sign-in/again?next=%2Fusers"
    assert "location" not in response.headers


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
async def test_the_way_back_never_leads_to_another_site(browser_for: BrowserFor, elsewhere: str) -> None:
    official = await browser_for("official-a")
    response = await official.get("/sign-in", params={"next": elsewhere})
    assert response.headers["location"] == "/"
    stranger = await browser_for()
    sent = await stranger.submit("/organisation", headers={"referer": elsewhere})
    assert sent.headers["location"] == "/sign-in/again?next=%2F"


async def test_who_belongs_to_no_organisation_sees_only_the_way_to_one(browser_for: BrowserFor) -> None:
    await cast.newcomer()
    browser = await browser_for("newcomer")
    for path in ("/users", "/audit", "/clock"):
        response = await browser.get(path)
        assert (response.status_code, response.headers["location"]) == (303, "/access")
    assert (await browser.follow(await browser.get("/"))).status_code == 200
    changed = await browser.submit("/clock/hold")
    assert changed.status_code == 403


# Forms


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({csrf.FIELD: "made.up"}, {}),
        ({csrf.FIELD: csrf.token("another session's secret")}, {}),
        ({}, {csrf.HEADER: "made.up"}),
        ({csrf.FIELD: "ours"}, {"origin": "https://evil.example"}),
        ({csrf.FIELD: "ours"}, {"origin": "null"}),
        ({csrf.FIELD: "ours"}, {"origin": PUBLIC_URL + ":444"}),
        ({csrf.FIELD: "ours"}, {"sec-fetch-site": "cross-site"}),
        ({csrf.FIELD: "ours"}, {"sec-fetch-site": "same-site"}),
    ],
)
async def test_a_form_from_elsewhere_is_refused_and_recorded(
    agency: Browser, fields: dict[str, str], headers: dict[str, str]
) -> None:
    data = {name: agency.token() if value == "ours" else value for name, value in fields.items()}
    response = await agency.post("/dial", data=data, headers=headers)
    assert response.status_code == 403
    assert await settings_of("agency-a") == "0"
    [denial] = await denials()
    assert (denial.subject_id, denial.detail["method"], denial.detail["why"]) == ("dial", "POST", "CrossSite")


async def test_a_token_in_the_header_will_do(agency: Browser) -> None:
    response = await agency.post("/dial", headers={csrf.HEADER: agency.token()})
    assert response.status_code == 303


async def test_a_double_click_has_one_effect_and_one_answer(agency: Browser) -> None:
    token = agency.token()
    answers = await asyncio.gather(*(agency.submit("/dial", {"a": "b"}, token=token) for _ in range(4)))
    assert [(each.status_code, each.headers["location"]) for each in answers] == [(303, "/")] * 4
    assert await settings_of("agency-a") == "1"
    async with acting_as(system("test")):
        assert await AuditRecord.filter(action="test.dialled").count() == 1


async def test_two_forms_have_two_effects(agency: Browser) -> None:
    await agency.submit("/dial", {"a": "b"})
    await agency.submit("/dial", {"a": "b"})
    assert await settings_of("agency-a") == "2"


async def test_the_same_form_with_other_words_is_a_conflict(agency: Browser) -> None:
    token = agency.token()
    await agency.submit("/dial", {"a": "b"}, token=token)
    assert (await agency.submit("/dial", {"a": "c"}, token=token)).status_code == 409
    assert await settings_of("agency-a") == "1"


async def test_a_form_that_was_refused_may_be_sent_again(app: Starlette, agency: Browser) -> None:
    moods = iter([422, 303])

    async def moody(visit: Visit) -> Response:
        await dial(visit)
        return visit.redirect("home") if next(moods) == 303 else PlainTextResponse("no", 422)

    install(app, page("POST", "/moody", moody, READ, name="moody"))
    token = agency.token()
    assert (await agency.submit("/moody", token=token)).status_code == 422
    assert await settings_of("agency-a") == "0", "an answer of 400 or more rolls back"
    assert (await agency.submit("/moody", token=token)).status_code == 303
    assert await settings_of("agency-a") == "1"


async def test_a_field_sent_twice_is_refused(agency: Browser) -> None:
    response = await agency.submit("/organisation", {"organisation": [str(uuid.uuid4()), str(uuid.uuid4())]})
    assert response.status_code == 422
    assert gettext("This field was sent twice.") in said(response)


async def test_a_nul_is_refused(agency: Browser) -> None:
    assert (await agency.submit("/dial", {"a": "x\0y"})).status_code == 400
    assert (await agency.get("/account?a=%00")).status_code == 400


async def test_too_long_a_body_is_refused(agency: Browser) -> None:
    long = "x" * (agency.app.state.settings.body_limit + 1)
    response = await agency.submit("/dial", {"a": long})
    assert response.status_code == 413
    assert "content-security-policy" in response.headers

    async def in_pieces() -> Any:
        for _ in range(3):
            yield long[: len(long) // 2].encode()

    headers = {"content-type": "application/x-www-form-urlencoded", csrf.HEADER: agency.token()}
    assert (await agency.post("/dial", content=in_pieces(), headers=headers)).status_code == 413
    assert await settings_of("agency-a") == "0"


async def test_unknown_query_parameters_are_ignored(agency: Browser) -> None:
    assert (await agency.get("/account?utm_source=x&utm_source=y")).status_code == 200


async def test_what_was_done_is_said_once(agency: Browser) -> None:
    sent = await agency.submit("/dial")
    assert "dialled" in said(await agency.follow(sent))
    assert "dialled" not in said(await agency.get("/"))


async def test_what_is_said_cannot_be_forged(agency: Browser) -> None:
    await agency.submit("/dial")
    cookie = agency.cookies["__Host-flash"]
    packed, _, mac = cookie.partition(".")
    agency.cookies.set("__Host-flash", f"{packed[:-4]}AAAA.{mac}", domain="portal.test", path="/")
    assert "dialled" not in said(await agency.get("/"))


# Failures


async def fail(visit: Visit) -> Response:
    await dial(visit)
    raise {
        "conflict": Conflict("x"),
        "missing": NotFound("x"),
        "fault": KeyError("secret words"),
        "stale": StaleSignIn(),
        "cut": asyncpg.ConnectionDoesNotExistError("cut off"),
        "full": asyncpg.DiskFullError("disk full"),
    }[visit.query.get("how")]


@pytest.mark.parametrize(
    ("how", "status"),
    [("conflict", 409), ("missing", 404), ("fault", 500), ("stale", 303), ("cut", 503), ("full", 503)],
)
async def test_whatever_fails_leaves_nothing_behind(app: Starlette, agency: Browser, how: str, status: int) -> None:
    install(app, page("POST", "/fail", fail, READ, name="fail"))
    response = await agency.submit(f"/fail?how={how}")
    assert response.status_code == status
    assert await settings_of("agency-a") == "0"
    assert "secret words" not in response.text
    if status == 503:
        assert response.headers["retry-after"] == "5"
    if status >= 400:
        assert response.headers["x-request-id"] in response.text


async def test_a_stale_sign_in_leads_to_a_fresh_one_and_back(app: Starlette, agency: Browser) -> None:
    install(app, page("POST", "/fail", fail, READ, name="fail"))
    sent = await agency.submit("/fail?how=stale", headers={"referer": f"{PUBLIC_URL}/users?page=2"})
    assert sent.headers["location"] == "/sign-in/again?next=%2Fusers%3Fpage%3D2&fresh=1"
    assert 'href="/sign-in?next=%2Fusers%3Fpage%3D2&amp;fresh=1"' in (await agency.follow(sent)).text


async def test_work_that_met_others_is_done_again(app: Starlette, agency: Browser) -> None:
    attempts: list[int] = []

    async def contended(visit: Visit) -> Response:
        await dial(visit)
        attempts.append(1)
        if len(attempts) < 3:
            raise asyncpg.SerializationError("could not serialize access")
        return visit.redirect("home")

    install(app, page("POST", "/contended", contended, READ, name="contended"))
    sent = await agency.submit("/contended")
    assert sent.status_code == 303
    assert (len(attempts), await settings_of("agency-a")) == (3, "1")
    assert said(await agency.follow(sent)).count("dialled") == 1


async def test_work_that_never_gets_through_is_told_to_come_back(app: Starlette, agency: Browser) -> None:
    async def contended(visit: Visit) -> Response:
        raise asyncpg.DeadlockDetectedError("deadlock")

    install(app, page("POST", "/contended", contended, READ, name="contended"))
    response = await agency.submit("/contended")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


# Denials


async def test_another_agencys_record_is_not_found_and_the_attempt_is_recorded(
    app: Starlette, browser_for: BrowserFor
) -> None:
    async def show(visit: Visit) -> Response:
        if await Organisation.get_or_none(id=visit.params["id"]) is None:
            raise NotFound("Organisation")
        return PlainTextResponse("seen")

    install(app, page("GET", "/agencies/{id:uuid}", show, READ, name="agency.test"))
    ours, theirs = await cast.organisation("agency-a"), await cast.organisation("agency-b")
    official = await browser_for("official-a")
    assert (await official.get(f"/agencies/{ours.id}")).status_code == 200
    foreign = await official.get(f"/agencies/{theirs.id}")
    absent = await official.get(f"/agencies/{uuid.uuid4()}")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert theirs.name_th not in foreign.text
    first, _ = await denials()
    assert first.detail == {"method": "GET", "why": "NotFound", "ids": {"id": str(theirs.id)}}
    assert (first.actor, first.organisation_id) == ((await cast.person("official-a")).name, ours.id)


async def test_what_the_role_does_not_grant_is_refused_and_recorded(browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    assert (await official.get("/users")).status_code == 403
    [denial] = await denials()
    assert (denial.subject_id, denial.detail["why"]) == ("users", "NotPermitted")


async def test_those_who_oversee_change_nothing(app: Starlette, browser_for: BrowserFor) -> None:
    install(app, page("POST", "/dial", dial, READ, name="dial"))
    for who in ("auditor", "central"):
        assert (await (await browser_for(who)).submit("/dial")).status_code == 403


async def test_a_machines_door_asks_for_no_session(app: Starlette, browser_for: BrowserFor) -> None:
    async def hear(visit: Visit) -> Response:
        assert visit.actor is None
        return PlainTextResponse(visit.form.get("word"))

    install(app, page("POST", "/hear", hear, MACHINE, name="hear"))
    official = await browser_for("official-a")
    heard = await official.post("/hear", data={"word": "yes"}, headers={"origin": "https://elsewhere.example"})
    assert heard.text == "yes"


async def test_signed_in_is_enough_for_ones_own_account(browser_for: BrowserFor) -> None:
    await cast.newcomer()
    assert (await (await browser_for("newcomer")).get("/account")).status_code == 200
    assert SIGNED_IN is not PUBLIC
