"""Sign-ins that succeed, and how keys and metadata are kept."""

import base64
from datetime import timedelta
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from starlette.responses import JSONResponse

from auth.oidc import Endpoints, Pending, Provider, Reason, RelyingParty, SignInRefused, local_path

from .conftest import CALLBACK, Registered, SignIn
from .wayward import (
    CLIENT_ID,
    CLIENT_SECRET,
    EC_ONE,
    GONE,
    NOW,
    RSA_ONE,
    RSA_ONE_AGAIN,
    RSA_TWO,
    Orders,
    WaywardProvider,
)


def said(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def test_rs256_and_userinfo_claims(there: WaywardProvider, sign_in: SignIn) -> None:
    identity = await sign_in()
    assert (identity.issuer, identity.subject) == (there.issuer, "official-a")
    assert (identity.name, identity.email) == ("เจ้าหน้าที่ผู้ใช้บริการ", "official-a@agency-a.example")
    assert identity.auth_time == NOW
    assert identity.sid == "session-1"
    assert identity.refresh_token == "a-refresh-token"
    assert identity.id_token not in repr(identity)


async def test_the_id_token_outweighs_userinfo(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders.claims = {"name": " ในโทเคน "}
    assert (await sign_in()).name == "ในโทเคน"


async def test_an_address_nobody_verified_is_not_kept(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders.claims = {"email": "boss@agency-a.example", "email_verified": False}
    assert (await sign_in()).email is None


async def test_userinfo_is_left_alone_when_told_so(
    there: WaywardProvider, registered: Registered, sign_in: SignIn
) -> None:
    assert (await sign_in(registered(ask_userinfo=False))).name is None
    assert there.asked("/userinfo") == 0


async def test_client_secret_basic(there: WaywardProvider, sign_in: SignIn) -> None:
    await sign_in()
    _, form, authorization = next(seen for seen in there.seen if seen[0] == "/token")
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT_ID}:{quote_plus(CLIENT_SECRET)}"
    assert "client_secret" not in form


async def test_client_secret_post(there: WaywardProvider, registered: Registered, sign_in: SignIn) -> None:
    await sign_in(registered(token_auth_method="client_secret_post"))
    _, form, authorization = next(seen for seen in there.seen if seen[0] == "/token")
    assert (form["client_id"], form["client_secret"], authorization) == (CLIENT_ID, CLIENT_SECRET, "")


async def test_the_authorization_asks_for_a_code_with_everything_that_binds_it(
    there: WaywardProvider, here: RelyingParty
) -> None:
    start = await here.authorization(NOW, return_to="/requests?page=2", login_hint="official-a")
    asked = said(start.url)
    pending = start.pending
    assert start.url.startswith(f"{there.issuer}/authorize?")
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": create_s256_code_challenge(pending.code_verifier),
        "code_challenge_method": "S256",
        "login_hint": "official-a",
        "ui_locales": "th en",
    }
    assert pending.return_to == "/requests?page=2"
    assert pending.nonce not in repr(pending)
    assert pending.code_verifier not in repr(pending)
    assert (await here.authorization(NOW)).pending.state != pending.state


async def test_the_code_is_redeemed_with_its_verifier(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    await sign_in()
    form = next(form for path, form, _ in there.seen if path == "/token")
    assert form["grant_type"] == "authorization_code"
    assert form["redirect_uri"] == CALLBACK
    assert len(form["code_verifier"]) >= 43


async def test_a_fresh_sign_in_is_asked_for_and_taken(here: RelyingParty, sign_in: SignIn) -> None:
    start = await here.authorization(NOW, max_age=0, subject="official-a")
    asked = said(start.url)
    assert (asked["max_age"], asked["prompt"]) == ("0", "login")
    assert (await sign_in(here, max_age=0, subject="official-a")).auth_time == NOW


async def test_a_session_within_max_age_will_do(there: WaywardProvider, here: RelyingParty, sign_in: SignIn) -> None:
    there.orders.claims = {"auth_time": NOW.timestamp() - 500}
    assert "prompt" not in said((await here.authorization(NOW, max_age=600)).url)
    assert (await sign_in(here, max_age=600)).auth_time == NOW - timedelta(seconds=500)


async def test_a_pending_sign_in_survives_its_store(here: RelyingParty) -> None:
    pending = (await here.authorization(NOW, max_age=300, subject="official-a")).pending
    assert Pending.from_json(pending.to_json()) == pending
    assert all(isinstance(value, str | int | None) for value in pending.to_json().values())


@pytest.mark.parametrize(
    "orders",
    [
        {"header": {"kid": GONE}},
        {"header": {"kid": GONE}, "published_without_kid": True},
        {"header": {"kid": GONE}, "published": [RSA_ONE, EC_ONE]},
        {"algorithm": "ES256", "key": EC_ONE, "published": [RSA_ONE, EC_ONE]},
        {"algorithm": "PS256"},
        {"header": {"typ": "JWT"}},
        {"claims": {"aud": [CLIENT_ID]}},
        {"claims": {"azp": CLIENT_ID}},
        {"claims": {"at_hash": GONE, "auth_time": GONE, "sid": GONE}},
        {"tokens": {"token_type": "bearer"}},
        {"claims": {"iat": NOW.timestamp() + 30, "nbf": NOW.timestamp() + 30}},
    ],
    ids=[
        "kid absent with one key",
        "kid absent and unpublished",
        "kid absent with one key that fits",
        "es256",
        "ps256",
        "typ JWT",
        "aud as a list",
        "azp ours",
        "only what is required",
        "bearer in small letters",
        "clocks half a minute apart",
    ],
)
async def test_is_accepted(orders: dict[str, object], there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders = Orders(**orders)
    assert (await sign_in()).subject == "official-a"


async def test_metadata_and_keys_are_asked_for_once(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    for _ in range(3):
        await sign_in(here)
    assert (there.asked("/.well-known/openid-configuration"), there.asked("/keys")) == (1, 1)


async def test_a_withdrawn_key_is_trusted_for_ten_minutes_at_most(there: WaywardProvider, here: RelyingParty) -> None:
    await here.back_channel_logout(there.logout_token(), NOW)
    there.orders.published = [RSA_TWO]
    await here.back_channel_logout(there.logout_token(), NOW + timedelta(minutes=4))
    there.orders.now = NOW + timedelta(minutes=10)
    with pytest.raises(Exception, match="no published key"):
        await here.back_channel_logout(there.logout_token(), there.orders.now)


async def test_key_rotation_between_sign_ins(there: WaywardProvider, here: RelyingParty, sign_in: SignIn) -> None:
    await sign_in(here)
    there.orders = Orders(key=RSA_TWO, published=[RSA_ONE, RSA_TWO])
    assert (await sign_in(here)).subject == "official-a"
    assert there.asked("/keys") == 2


async def test_key_rotation_just_before_signing(there: WaywardProvider, here: RelyingParty, sign_in: SignIn) -> None:
    await sign_in(here)

    def rotate(orders: Orders) -> None:
        orders.key, orders.published = RSA_TWO, [RSA_TWO]

    there.orders.before_signing = rotate
    assert (await sign_in(here)).subject == "official-a"


async def test_a_key_replaced_under_its_own_name(there: WaywardProvider, here: RelyingParty, sign_in: SignIn) -> None:
    await sign_in(here)
    there.orders = Orders(key=RSA_ONE_AGAIN, published=[RSA_ONE_AGAIN])
    assert (await sign_in(here)).subject == "official-a"


async def test_forged_tokens_make_the_keys_asked_for_again_only_once(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    there.orders.spoiled = True
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await sign_in(here)
    assert there.asked("/keys") == 2


async def test_a_private_or_weak_or_unreadable_key_is_no_key(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders.broken["/keys"] = published(
        RSA_ONE.as_dict(private=True), {"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}, {"kty": "new"}, "one"
    )
    with pytest.raises(SignInRefused) as refused:
        await sign_in()
    assert refused.value.reason is Reason.KEY


async def test_an_unreadable_key_does_not_hide_the_others(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders.broken["/keys"] = published({"kty": "new"}, "one", RSA_ONE.as_dict(private=False))
    assert (await sign_in()).subject == "official-a"


def published(*keys: object) -> JSONResponse:
    return JSONResponse({"keys": list(keys)})


async def test_endpoints_given_leave_nothing_to_discover(
    there: WaywardProvider, registered: Registered, sign_in: SignIn
) -> None:
    at = there.issuer
    party = registered(endpoints=Endpoints(f"{at}/authorize", f"{at}/token", f"{at}/keys"))
    assert (await sign_in(party)).subject == "official-a"
    assert there.asked("/.well-known/openid-configuration") == 0
    assert await party.logout_url(None, "state", NOW) is None


async def test_one_endpoint_given_is_put_over_the_discovered(
    there: WaywardProvider, registered: Registered, sign_in: SignIn
) -> None:
    there.orders.metadata = {"token_endpoint": "https://elsewhere.example/token"}
    assert (await sign_in(registered(endpoints=Endpoints(token=f"{there.issuer}/token")))).subject == "official-a"


async def test_an_issuer_named_in_the_answer_is_taken(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders.metadata = {"authorization_response_iss_parameter_supported": True}
    there.orders.answer = {"iss": there.issuer}
    assert (await sign_in()).subject == "official-a"


async def test_a_refreshed_identity_is_the_same_person(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    identity = await sign_in()
    there.orders.userinfo = {"name": "ชื่อใหม่"}
    renewed = await here.refresh(identity, NOW)
    assert (renewed.subject, renewed.name) == ("official-a", "ชื่อใหม่")
    assert there.seen[-2][1]["refresh_token"] == "a-refresh-token"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\/x",
        "/a\\b",
        "/a\nb",
        "a",
        "",
        None,
    ],
)
def test_a_return_to_another_site_becomes_home(elsewhere: str | None) -> None:
    assert local_path(elsewhere) == "/"


@pytest.mark.parametrize("path", ["/", "/requests/REQ-1", "/costs?month=2026-12&lang=th#lines", "/ค่าใช้จ่าย"])
def test_a_path_of_this_site_stays(path: str) -> None:
    assert local_path(path) == path


GOOD = {
    "issuer": "https://id.example",
    "client_id": "portal",
    "client_secret": "x",
    "redirect_uri": "https://portal.example/callback",
    "post_logout_redirect_uri": "https://portal.example/",
}


@pytest.mark.parametrize(
    "bad",
    [
        {"issuer": "http://id.example"},
        {"issuer": "ftp://127.0.0.1"},
        {"issuer": "id.example"},
        {"endpoints": Endpoints(token="http://id.example/token")},
        {"client_id": ""},
        {"client_secret": ""},
        {"scopes": ("profile",)},
        {"algorithms": ()},
        {"algorithms": ("RS256", "HS256")},
        {"algorithms": ("none",)},
    ],
)
def test_settings_that_would_weaken_sign_in_are_refused(bad: dict[str, object]) -> None:
    Provider(**GOOD)
    with pytest.raises(ValueError, match=r"https|client|scope|algorithms"):
        Provider(**{**GOOD, **bad})


def test_settings_take_plain_http_only_when_told_or_on_loopback() -> None:
    assert Provider(**{**GOOD, "issuer": "http://id.internal:8080", "allow_http": True})
    assert Provider(**{**GOOD, "issuer": "http://localhost:9000"})


def test_settings_do_not_show_the_secret() -> None:
    assert "top-secret" not in repr(Provider(**{**GOOD, "client_secret": "top-secret"}))
