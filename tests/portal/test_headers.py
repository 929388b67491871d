"""What every answer carries, whoever made it."""

import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
import structlog
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from portal import logs
from portal.edge import PUBLIC, page, route
from portal.embedded_postgres import SUPERUSER, Address
from portal.headers import content_security_policy
from portal.visit import Visit
from tests.browsing import PUBLIC_URL, SESSION, Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]

EXPECTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "cache-control": "no-store",
}


async def crash(visit: Visit) -> Response:
    raise RuntimeError("words nobody outside may read")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/sign-in/again", 200),
        ("/account", 303),
        ("/nowhere", 404),
        ("/sign-out", 405),
        ("/crash", 500),
        ("/healthz", 200),
        ("/static/nothing.css", 404),
    ],
)
async def test_every_answer_carries_them(app: Starlette, browser_for: BrowserFor, path: str, status: int) -> None:
    app.router.routes.insert(0, route(page("GET", "/crash", crash, PUBLIC, name="crash")))
    response = await (await browser_for()).get(path)
    assert response.status_code == status
    assert {name: response.headers[name] for name in EXPECTED} == EXPECTED
    assert "camera=()" in response.headers["permissions-policy"]
    assert len(response.headers["x-request-id"]) == 16
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert rule in policy
    assert "words nobody" not in response.text


async def test_a_signed_in_page_is_never_kept(browser_for: BrowserFor) -> None:
    assert (await (await browser_for("official-a")).get("/account")).headers["cache-control"] == "no-store"


async def test_scripts_carry_this_answers_nonce(browser_for: BrowserFor) -> None:
    browser = await browser_for()
    first, second = await browser.get("/"), await browser.get("/")
    for response in (first, second):
        nonce = response.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
        assert response.text.count("<script") == response.text.count(f'<script nonce="{nonce}"') > 0
        assert " style=" not in response.text
    assert first.headers["content-security-policy"] != second.headers["content-security-policy"]


async def test_static_files_named_by_content_are_kept_for_ever(browser_for: BrowserFor) -> None:
    browser = await browser_for()
    named = await browser.get("/static/portal.css?v=abc")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await browser.get("/static/portal.css")).headers["cache-control"] == "no-cache"


def test_without_tls_nothing_is_upgraded() -> None:
    assert "upgrade-insecure-requests" not in content_security_policy("n", https=False)
    assert "upgrade-insecure-requests" in content_security_policy("n", https=True)


async def test_the_wrong_method_names_the_right_one(browser_for: BrowserFor) -> None:
    response = await (await browser_for()).get("/sign-out")
    assert response.headers["allow"] == "POST"


async def test_another_name_leads_to_the_public_one(browser_for: BrowserFor) -> None:
    browser = await browser_for()
    response = await browser.get("/account?page=2", headers={"host": "127.0.0.1:8000"})
    assert (response.status_code, response.headers["location"]) == (307, f"{PUBLIC_URL}/account?page=2")
    assert (await browser.post("/sign-out", headers={"host": "evil.example"})).status_code == 400 + 21
    assert (await browser.get("/healthz", headers={"host": "10.0.0.7"})).status_code == 200


async def test_only_the_networks_allowed_are_served(make_app: Callable[..., Starlette]) -> None:
    async with Browser(make_app(allowed_networks="10.0.0.0/8")) as outside:
        response = await outside.get("/")
        assert response.status_code == 403
        assert "เครือข่าย" in said(response)
        assert (await outside.get("/healthz")).status_code == 200
    proxied = make_app(allowed_networks="10.0.0.0/8", trusted_proxies="127.0.0.0/8 192.168.0.0/16")
    async with Browser(proxied) as browser:
        for forwarded, status in [
            ("10.1.2.3", 200),
            ("10.1.2.3, 192.168.0.4", 200),
            ("10.1.2.3, 203.0.113.9", 403),  # what the client claims before a foreign proxy counts nothing
            ("203.0.113.9", 403),
            ("nonsense", 403),
        ]:
            response = await browser.get("/", headers={"x-forwarded-for": forwarded})
            assert response.status_code == status, forwarded
    async with Browser(make_app(allowed_networks="10.0.0.0/8")) as unproxied:
        assert (await unproxied.get("/", headers={"x-forwarded-for": "10.1.2.3"})).status_code == 403


async def test_readiness(app: Starlette, browser_for: BrowserFor, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await browser_for()
    assert (await browser.get("/readyz")).status_code == 200
    app.state.draining = True
    assert (await browser.get("/readyz")).status_code == 503
    assert (await browser.get("/healthz")).status_code == 200


async def test_without_the_database(app: Starlette, browser_for: BrowserFor, database: str, cluster: Address) -> None:
    official, stranger = await browser_for("official-a"), await browser_for()
    assert (await official.get("/account")).status_code == 200
    connection = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    await connection.execute(f"DROP DATABASE {database} WITH (FORCE)")
    await connection.close()
    assert (await stranger.get("/healthz")).status_code == 200
    for path in ("/readyz", "/account", "/account"):
        response = await official.get(path)
        assert (response.status_code, response.headers["retry-after"]) == (503, "5"), path
    assert official.cookies[SESSION], "who is signed in stays so"
    assert (await stranger.get("/")).status_code == 200


async def test_the_log_keeps_no_secrets(
    app: Starlette, browser_for: BrowserFor, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leak(visit: Visit) -> Response:
        raise ValueError(f"could not read {visit.form.get('word')}")

    app.router.routes.insert(0, route(page("POST", "/leak", leak, PUBLIC, name="leak")))
    official = await browser_for("official-a")
    logs.configure("json", "info")
    try:
        await official.submit("/leak?q=in-the-query", {"word": "in-the-form"})
        await official.get("/%0a{forged}")
        structlog.get_logger("x").info("line\nbreak")
    finally:
        logs.configure("json", "warning")
    lines = capsys.readouterr().err.splitlines()
    told = [json.loads(line) for line in lines]
    assert {"request", "fault"} <= {line["event"] for line in told}
    assert all(line["at"].endswith("+00:00") for line in told)
    fault = next(line for line in told if line["event"] == "fault")
    assert fault["error"] == ["ValueError"]
    assert fault["reference"] == next(line for line in told if line["event"] == "request")["reference"]
    everything = "\n".join(lines)
    for secret in ("in-the-form", "in-the-query", official.csrf_secret, *official.cookies.values()):
        assert secret not in everything


async def test_a_head_is_answered_like_a_get(browser_for: BrowserFor) -> None:
    assert (await (await browser_for()).head("/")).status_code == 200


async def test_an_answer_of_ones_own_kind_keeps_its_headers(app: Starlette, browser_for: BrowserFor) -> None:
    async def kept(visit: Visit) -> Response:
        return PlainTextResponse("x", headers={"cache-control": "private, max-age=60"})

    app.router.routes.insert(0, route(page("GET", "/kept", kept, PUBLIC, name="kept")))
    assert (await (await browser_for()).get("/kept")).headers["cache-control"] == "private, max-age=60"
