from collections.abc import Callable

import httpx2
from starlette.applications import Starlette

from tests.browsing import PUBLIC_URL, Browser, said


def from_address(app: Starlette, address: str) -> Browser:
    browser = Browser(app)
    browser._transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return browser


async def test_sign_ins_are_begun_only_so_often_from_one_address(make_app: Callable[..., Starlette]) -> None:
    app = make_app(sign_in_limit=3)
    async with from_address(app, "10.1.1.1") as here, from_address(app, "10.1.1.2") as there:
        assert [(await here.get("/sign-in")).status_code == 429 for _ in range(5)] == [False] * 3 + [True] * 2
        refused = await here.get("/sign-in")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "เกินจำนวนที่กำหนด" in said(refused)
        assert (await here.get("/sign-in/again")).status_code == 200
        assert (await here.get("/contact")).status_code == 200
        assert (await there.get("/sign-in")).status_code != 429


async def test_an_address_behind_a_trusted_proxy_counts_as_itself(make_app: Callable[..., Starlette]) -> None:
    app = make_app(sign_in_limit=1, trusted_proxies=("10.9.9.9/32",))
    async with from_address(app, "10.9.9.9") as proxy:
        for caller in ("203.0.113.1", "203.0.113.2"):
            assert (await proxy.get("/sign-in", headers={"x-forwarded-for": caller})).status_code != 429
        assert (await proxy.get("/sign-in", headers={"x-forwarded-for": "203.0.113.2"})).status_code == 429
    async with from_address(app, "10.1.1.1") as liar:
        await liar.get("/sign-in")
        assert (await liar.get("/sign-in", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 429


async def test_a_token_calls_only_so_often_and_is_told_in_json(make_app: Callable[..., Starlette]) -> None:
    app = make_app(api_token_limit=2)
    async with from_address(app, "10.1.1.1") as here, from_address(app, "10.1.1.2") as there:
        mine, other = {"authorization": "Bearer a"}, {"authorization": "Bearer b"}
        assert [(await here.get("/api/v1/offerings", headers=mine)).status_code for _ in range(2)] == [401, 401]
        refused = await there.get("/api/v1/offerings", headers=mine | {"accept-language": "en"})
        assert (refused.status_code, refused.json()["status"]) == (429, 429)
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.json()["detail"] == "These are more calls than are allowed. Try again later."
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert (await here.get("/api/v1/offerings", headers=other)).status_code == 401


async def test_an_address_calls_only_so_often_whatever_tokens_it_tries(make_app: Callable[..., Starlette]) -> None:
    app = make_app(api_address_limit=3)
    async with from_address(app, "10.1.1.1") as here, from_address(app, "10.1.1.2") as there:
        tried = [
            (await here.get("/api/v1/offerings", headers={"authorization": f"Bearer {n}"})).status_code
            for n in range(4)
        ]
        assert tried == [401, 401, 401, 429]
        assert (await there.get("/api/v1/offerings")).status_code == 401
        assert (await here.get("/healthz", headers={"host": PUBLIC_URL.partition("//")[2]})).status_code == 200
