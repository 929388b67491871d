"""Every case a relying party must refuse, against a provider that really misbehaves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from auth.oidc import ProviderUnavailable, Reason, RelyingParty, SignInRefused

from .conftest import Registered, SignIn
from .wayward import CLIENT_ID, EC_ONE, GONE, NOW, RSA_ONE, RSA_ONE_AGAIN, RSA_TWO, SHARED, Orders, WaywardProvider

SECONDS = NOW.timestamp()
DAY = 24 * 3600
FOR_PS256_ONLY = JSONResponse({"keys": [RSA_ONE.as_dict(private=False) | {"alg": "PS256"}]})


@dataclass
class Case:
    name: str
    reason: Reason
    orders: dict[str, object]
    registration: dict[str, object] = field(default_factory=dict)
    wishes: dict[str, object] = field(default_factory=dict)


def claim(name: str, reason: Reason, **claims: object) -> Case:
    return Case(name, reason, {"claims": claims})


CASES = [
    # the signature
    Case("sig none", Reason.ALGORITHM, {"algorithm": "none"}),
    Case("sig None, spelt otherwise", Reason.ALGORITHM, {"header": {"alg": "None"}, "algorithm": "none"}),
    Case("signed HS256 with the client secret", Reason.ALGORITHM, {"algorithm": "HS256"}),
    Case(
        "signed HS256 with the public key",
        Reason.ALGORITHM,
        {"algorithm": "HS256", "secret": RSA_ONE.as_pem(private=False)},
    ),
    Case(
        "signed HS256, secret published",
        Reason.ALGORITHM,
        {"algorithm": "HS256", "published": [RSA_ONE, SHARED]},
    ),
    Case(
        "ES256 where not allowed",
        Reason.ALGORITHM,
        {"algorithm": "ES256", "key": EC_ONE, "published": [EC_ONE]},
        registration={"algorithms": ("RS256",)},
    ),
    Case("RS512 is not pinned", Reason.ALGORITHM, {"algorithm": "RS512"}),
    Case("invalid signature", Reason.SIGNATURE, {"spoiled": True}),
    Case("signed by another key of the same name", Reason.SIGNATURE, {"key": RSA_ONE_AGAIN}),
    Case("unknown kid", Reason.KEY, {"key": RSA_TWO}),
    Case("no kid and two keys", Reason.KEY, {"header": {"kid": GONE}, "published": [RSA_ONE, RSA_TWO]}),
    Case("kid of a key of another kind", Reason.KEY, {"header": {"kid": "ec"}, "published": [EC_ONE]}),
    Case("no keys published", Reason.KEY, {"published": []}),
    Case("kid is no text", Reason.MALFORMED, {"tokens": {"id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6MX0.e30.AA"}}),
    Case("header is no object", Reason.MALFORMED, {"tokens": {"id_token": "ImFsZyI.e30.AA"}}),
    Case("not a token", Reason.MALFORMED, {"tokens": {"id_token": "hello"}}),
    Case("encrypted", Reason.MALFORMED, {"tokens": {"id_token": "a.b.c.d.e"}}),
    Case("something critical", Reason.MALFORMED, {"header": {"crit": ["kid"]}}),
    Case("a key for another algorithm", Reason.KEY, {"broken": {"/keys": FOR_PS256_ONLY}}),
    Case("an access token", Reason.TOKEN_TYPE, {"header": {"typ": "at+jwt"}}),
    Case("a logout token", Reason.TOKEN_TYPE, {"header": {"typ": "logout+jwt"}}),
    # the claims
    claim("invalid iss", Reason.ISSUER, iss="https://elsewhere.example"),
    claim("missing iss", Reason.ISSUER, iss=GONE),
    claim("invalid aud", Reason.AUDIENCE, aud="another"),
    claim("invalid aud with our azp", Reason.AUDIENCE, aud="another", azp=CLIENT_ID),
    claim("aud with another beside us", Reason.AUDIENCE, aud=[CLIENT_ID, "another"], azp=CLIENT_ID),
    claim("missing aud", Reason.AUDIENCE, aud=GONE),
    claim("empty aud", Reason.AUDIENCE, aud=[]),
    claim("azp of another", Reason.AUTHORIZED_PARTY, azp="another"),
    claim("missing sub", Reason.SUBJECT, sub=GONE),
    claim("empty sub", Reason.SUBJECT, sub=""),
    claim("sub is no text", Reason.SUBJECT, sub=7),
    claim("endless sub", Reason.SUBJECT, sub="x" * 256),
    claim("missing iat", Reason.ISSUED_AT, iat=GONE),
    claim("iat is no number", Reason.ISSUED_AT, iat="now"),
    claim("iat is true", Reason.ISSUED_AT, iat=True),
    claim("day-old iat", Reason.ISSUED_AT, iat=SECONDS - DAY, exp=SECONDS + DAY),
    claim("iat in the future", Reason.ISSUED_AT, iat=SECONDS + 3600, exp=SECONDS + DAY),
    claim("iat beyond the calendar", Reason.ISSUED_AT, iat=1e300),
    claim("exp missing", Reason.EXPIRED, exp=GONE),
    claim("exp past", Reason.EXPIRED, exp=SECONDS - 61),
    claim("exp infinite", Reason.EXPIRED, exp=float("inf")),
    claim("nbf in the future", Reason.NOT_YET, nbf=SECONDS + 120),
    claim("invalid nonce", Reason.NONCE, nonce="another"),
    claim("missing nonce", Reason.NONCE, nonce=GONE),
    claim("nonce is no text", Reason.NONCE, nonce=["x"]),
    claim("invalid at_hash", Reason.ACCESS_TOKEN_HASH, at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    claim("at_hash is no text", Reason.ACCESS_TOKEN_HASH, at_hash=None),
    claim("exp is not a number", Reason.EXPIRED, exp=float("nan")),
    claim("auth_time is true", Reason.AUTH_TIME, auth_time=True),
    claim("auth_time in the future", Reason.AUTH_TIME, auth_time=SECONDS + 3600),
    Case("fresh sign-in, no auth_time", Reason.AUTH_TIME, {"claims": {"auth_time": GONE}}, wishes={"max_age": 0}),
    Case(
        "fresh sign-in, an old session",
        Reason.AUTH_TIME,
        {"claims": {"auth_time": SECONDS - 300}},
        wishes={"max_age": 0},
    ),
    Case(
        "sign-in of the last ten minutes, older",
        Reason.AUTH_TIME,
        {"claims": {"auth_time": SECONDS - 700}},
        wishes={"max_age": 600},
    ),
    Case("somebody else signs in anew", Reason.DIFFERENT_PERSON, {}, wishes={"max_age": 0, "subject": "approver-a"}),
    Case("weaker than required", Reason.ACR, {"claims": {"acr": "1"}}, registration={"required_acr": ("2",)}),
    # the answers
    Case("no id_token", Reason.ID_TOKEN_MISSING, {"tokens": {"id_token": GONE}}),
    Case("id_token is nothing", Reason.ID_TOKEN_MISSING, {"tokens": {"id_token": None}}),
    Case("no access token", Reason.TOKEN_RESPONSE, {"tokens": {"access_token": GONE}}),
    Case("token of another kind", Reason.TOKEN_RESPONSE, {"tokens": {"token_type": "mac"}}),
    Case("token type missing", Reason.TOKEN_RESPONSE, {"tokens": {"token_type": GONE}}),
    Case("token response is no JSON", Reason.TOKEN_RESPONSE, {"broken": {"/token": PlainTextResponse("hello")}}),
    Case("code refused", Reason.TOKEN_REFUSED, {"token_status": 400, "tokens": {"error": "invalid_grant"}}),
    Case("userinfo sub mismatch", Reason.USERINFO, {"userinfo": {"sub": "approver-a"}}),
    Case("userinfo without sub", Reason.USERINFO, {"userinfo": {"sub": GONE}}),
    Case("userinfo refused", Reason.USERINFO, {"broken": {"/userinfo": PlainTextResponse("no", 401)}}),
    Case("discovery issuer mismatch", Reason.METADATA_ISSUER, {"metadata": {"issuer": "https://elsewhere.example"}}),
    Case("discovery without issuer", Reason.METADATA_ISSUER, {"metadata": {"issuer": GONE}}),
    Case("discovery without keys", Reason.METADATA, {"metadata": {"jwks_uri": GONE}}),
    Case("discovery with an open line", Reason.METADATA, {"metadata": {"token_endpoint": "http://elsewhere.example/"}}),
    # the browser's way back
    Case("another's state", Reason.STATE, {"answer": {"state": "another"}}),
    Case("no state", Reason.STATE, {"answer": {"state": GONE}}),
    Case("no code", Reason.CODE_MISSING, {"answer": {"code": GONE}}),
    Case("answer of another issuer", Reason.ISSUER, {"answer": {"iss": "https://elsewhere.example"}}),
    Case(
        "issuer promised and left out",
        Reason.ISSUER,
        {"metadata": {"authorization_response_iss_parameter_supported": True}},
    ),
    Case("access denied", Reason.DENIED, {"answer": {"error": "access_denied", "code": GONE}}),
    Case("another error", Reason.PROVIDER_ERROR, {"answer": {"error": "invalid_scope", "code": GONE}}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_is_refused(case: Case, there: WaywardProvider, registered: Registered, sign_in: SignIn) -> None:
    there.orders = Orders(**case.orders)
    with pytest.raises(SignInRefused) as refused:
        await sign_in(registered(**case.registration), **case.wishes)
    assert refused.value.reason is case.reason


def silent(path: str) -> Callable[[Orders], None]:
    return lambda orders: orders.silent.add(path)


def failing(path: str, status: int) -> Callable[[Orders], None]:
    return lambda orders: orders.broken.update({path: PlainTextResponse("no", status)})


TROUBLES = {
    "slow metadata": silent("/.well-known/openid-configuration"),
    "slow token": silent("/token"),
    "slow keys": silent("/keys"),
    "slow userinfo": silent("/userinfo"),
    "failing metadata": failing("/.well-known/openid-configuration", 500),
    "metadata is a page": failing("/.well-known/openid-configuration", 200),
    "failing token": failing("/token", 502),
    "busy token": failing("/token", 429),
    "failing keys": failing("/keys", 503),
    "keys moved": failing("/keys", 302),
    "failing userinfo": failing("/userinfo", 500),
    "its own trouble": lambda orders: orders.answer.update({"error": "temporarily_unavailable", "code": GONE}),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_provider_in_trouble_is_unavailable(
    trouble: str, there: WaywardProvider, registered: Registered, sign_in: SignIn
) -> None:
    TROUBLES[trouble](there.orders)
    with pytest.raises(ProviderUnavailable):
        await sign_in(registered(patience=timedelta(seconds=0.4)))


async def test_a_provider_that_is_down_is_unavailable(registered: Registered) -> None:
    with pytest.raises(ProviderUnavailable):
        await registered(issuer="http://127.0.0.1:1").authorization(NOW)


async def test_a_sign_in_that_was_never_started_is_refused(here: RelyingParty) -> None:
    with pytest.raises(SignInRefused) as refused:
        await here.complete({"state": "x", "code": "y"}, None, NOW)
    assert refused.value.reason is Reason.STATE


async def test_a_sign_in_started_too_long_ago_is_refused(here: RelyingParty) -> None:
    start = await here.authorization(NOW)
    with pytest.raises(SignInRefused) as refused:
        await here.complete({"state": start.pending.state, "code": "y"}, start.pending, NOW + timedelta(minutes=16))
    assert refused.value.reason is Reason.TOO_LATE


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sub": "approver-a"}, Reason.USERINFO),
        ({"iss": "https://elsewhere.example"}, Reason.ISSUER),
    ],
)
async def test_a_refreshed_token_with_another_sub_or_iss_is_refused(
    claims: dict[str, object], reason: Reason, there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    identity = await sign_in()
    there.orders.claims = claims
    with pytest.raises(SignInRefused) as refused:
        await here.refresh(identity, NOW)
    assert refused.value.reason is reason


async def test_a_refreshed_token_and_userinfo_of_somebody_else_are_refused(
    there: WaywardProvider, here: RelyingParty, sign_in: SignIn
) -> None:
    identity = await sign_in()
    there.orders.claims = there.orders.userinfo = {"sub": "approver-a"}
    with pytest.raises(SignInRefused) as refused:
        await here.refresh(identity, NOW)
    assert refused.value.reason is Reason.DIFFERENT_PERSON


async def test_a_refusal_shows_no_token_and_no_secret(there: WaywardProvider, sign_in: SignIn) -> None:
    there.orders = Orders(token_status=400, tokens={"error": "bad\r\nline " + "ü" * 300})
    with pytest.raises(SignInRefused) as refused:
        await sign_in()
    assert refused.value.detail.startswith("badline")
    assert len(refused.value.detail) <= 80
    assert "access" not in str(refused.value)
