"""Signing out at the provider, and being told by it that a session has ended."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from auth.oidc import LogoutRefused, ProviderUnavailable, Reason, RelyingParty
from auth.oidc.rules import LOGOUT_EVENT

from .conftest import SIGNED_OUT, Registered, SignIn
from .wayward import CLIENT_ID, EC_ONE, GONE, NOW, RSA_TWO, Orders, WaywardProvider

SECONDS = NOW.timestamp()


async def test_a_valid_notice_names_the_session(there: WaywardProvider, here: RelyingParty) -> None:
    notice = await here.back_channel_logout(there.logout_token(), NOW)
    assert (notice.issuer, notice.subject, notice.sid, notice.jti) == (
        there.issuer,
        "official-a",
        "session-1",
        "notice-1",
    )
    assert notice.expires_at > NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("claims", "subject", "sid"),
    [({"sub": GONE}, None, "session-1"), ({"sid": GONE}, "official-a", None)],
    ids=["only the session", "only the person"],
)
async def test_a_notice_may_name_only_one(
    claims: dict[str, object], subject: str | None, sid: str | None, there: WaywardProvider, here: RelyingParty
) -> None:
    there.orders.claims = claims
    notice = await here.back_channel_logout(there.logout_token(), NOW)
    assert (notice.subject, notice.sid) == (subject, sid)


async def test_a_notice_may_carry_its_type(there: WaywardProvider, here: RelyingParty) -> None:
    there.orders.header = {"typ": "logout+jwt"}
    assert (await here.back_channel_logout(there.logout_token(), NOW)).jti == "notice-1"


BAD_NOTICES: dict[str, tuple[Reason, dict[str, object]]] = {
    "alg none": (Reason.ALGORITHM, {"algorithm": "none"}),
    "wrong alg HS256": (Reason.ALGORITHM, {"algorithm": "HS256"}),
    "wrong alg ES256": (Reason.ALGORITHM, {"algorithm": "ES256", "key": EC_ONE, "published": [EC_ONE]}),
    "unknown key": (Reason.KEY, {"key": RSA_TWO}),
    "invalid signature": (Reason.SIGNATURE, {"spoiled": True}),
    "an access token": (Reason.TOKEN_TYPE, {"header": {"typ": "at+jwt"}}),
    "no event": (Reason.EVENT, {"claims": {"events": GONE}}),
    "events is a list": (Reason.EVENT, {"claims": {"events": [LOGOUT_EVENT]}}),
    "wrong event": (Reason.EVENT, {"claims": {"events": {"http://schemas.openid.net/event/other": {}}}}),
    "event is no object": (Reason.EVENT, {"claims": {"events": {LOGOUT_EVENT: True}}}),
    "with nonce": (Reason.NONCE_PRESENT, {"claims": {"nonce": "x"}}),
    "with an empty nonce": (Reason.NONCE_PRESENT, {"claims": {"nonce": None}}),
    "wrong aud": (Reason.AUDIENCE, {"claims": {"aud": "another"}}),
    "wrong iss": (Reason.ISSUER, {"claims": {"iss": "https://elsewhere.example"}}),
    "nobody named": (Reason.SUBJECT, {"claims": {"sub": GONE, "sid": GONE}}),
    "no jti": (Reason.TOKEN_ID, {"claims": {"jti": GONE}}),
    "no iat": (Reason.ISSUED_AT, {"claims": {"iat": GONE}}),
    "day-old": (Reason.ISSUED_AT, {"claims": {"iat": SECONDS - 86400}}),
    "expired": (Reason.EXPIRED, {"claims": {"exp": SECONDS - 61}}),
    "no exp": (Reason.EXPIRED, {"claims": {"exp": GONE}}),
}


@pytest.mark.parametrize("name", BAD_NOTICES)
async def test_a_bad_notice_is_refused(name: str, there: WaywardProvider, registered: Registered) -> None:
    reason, orders = BAD_NOTICES[name]
    there.orders = Orders(**orders)
    here = registered(algorithms=("RS256", "PS256"))
    with pytest.raises(LogoutRefused) as refused:
        await here.back_channel_logout(there.logout_token(), NOW)
    assert refused.value.reason is reason


@pytest.mark.parametrize("text", [None, "", "x", "a.b.c", "e30.e30.e30", "ü.ü.ü", "." * 200])
async def test_what_is_no_token_is_refused(text: str | None, here: RelyingParty) -> None:
    with pytest.raises(LogoutRefused) as refused:
        await here.back_channel_logout(text, NOW)
    assert refused.value.reason in (Reason.MALFORMED, Reason.ALGORITHM)


async def test_an_id_token_is_no_notice_and_a_notice_no_id_token(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    identity = await sign_in()
    with pytest.raises(LogoutRefused) as refused:
        await here.back_channel_logout(identity.id_token, NOW)
    assert refused.value.reason is Reason.EVENT
    there.orders.tokens = {"id_token": there.logout_token()}
    with pytest.raises(Exception, match="nonce"):
        await sign_in()


async def test_a_notice_while_the_provider_is_down_is_not_believed(
    there: WaywardProvider, registered: Registered
) -> None:
    with pytest.raises(ProviderUnavailable):
        await registered(issuer="http://127.0.0.1:1").back_channel_logout(there.logout_token(), NOW)


async def test_signing_out_sends_the_browser_with_all_it_needs(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    identity = await sign_in()
    url = await here.logout_url(identity.id_token, "a-state", NOW)
    assert url is not None
    assert url.startswith(f"{there.issuer}/logout?")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "tenant": "a",
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": SIGNED_OUT,
        "state": "a-state",
        "id_token_hint": identity.id_token,
    }


@pytest.mark.parametrize(
    ("params", "expected", "ours"),
    [
        ({"state": "a-state"}, "a-state", True),
        ({"state": "another"}, "a-state", False),
        ({"state": "\udcff ü"}, "a-state", False),
        ({}, "a-state", False),
        ({}, None, False),
        ({"state": ""}, "", False),
        ({"state": "a-state"}, None, False),
    ],
)
def test_the_way_back_from_signing_out_never_fails(
    params: dict[str, str], expected: str | None, ours: bool, here: RelyingParty
) -> None:
    assert here.logout_response(params, expected) is ours
