"""What a token must say before it is believed. Pure: no network, no clock (`now` is an argument)."""

import hmac
import json
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from authlib.oidc.core.util import create_half_hash  # type: ignore[import-untyped]
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from auth.oidc.provider import Provider
from auth.oidc.refusals import Reason, Refused

SKEW = timedelta(seconds=60)
ISSUED_WITHIN = timedelta(minutes=5)
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

ID_TOKEN_TYPES = ("jwt",)
LOGOUT_TOKEN_TYPES = ("jwt", "logout+jwt")

SigningKey = RSAKey | ECKey


def signing_keys(document: Mapping[str, object]) -> tuple[SigningKey, ...]:
    """Read a published key set; leaves out what cannot verify a signature, and RSA below 2048 bits."""
    published = document.get("keys")
    keys: list[SigningKey] = []
    for data in published if isinstance(published, list) else []:
        if not isinstance(data, dict) or data.get("use", "sig") != "sig" or "d" in data:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SecurityWarning)
                key = JWKRegistry.import_key(data)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, SecurityWarning):
            continue  # one unreadable key must not hide the others (RFC 7517, 5)
        if isinstance(key, RSAKey | ECKey):
            keys.append(key)
    return tuple(keys)


class SignedToken:
    """A token in compact form, its header read and allowed, its signature not yet believed.

    Refuses what is not a signed token, an algorithm that is not pinned, another `typ` and any `crit`.
    """

    def __init__(self, text: str, *, algorithms: tuple[str, ...], types: Iterable[str]) -> None:
        self._registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
        try:
            self._signature = jws.extract_compact(text.encode(), registry=self._registry)
            header = dict(self._signature.headers())
        except (JoseError, ValueError, TypeError) as error:
            raise Refused(Reason.MALFORMED) from error
        algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in algorithms:
            raise Refused(Reason.ALGORITHM, str(algorithm))
        if not isinstance(typ, str) or typ.lower() not in types:
            raise Refused(Reason.TOKEN_TYPE, str(typ))
        if "crit" in header or "b64" in header or not isinstance(kid, str | None):
            raise Refused(Reason.MALFORMED)
        self.algorithm: str = algorithm
        self.kid: str | None = kid

    def claims(self, keys: Iterable[SigningKey]) -> Mapping[str, object]:
        """The claims, once one of `keys` proves the signature.

        Refuses an unknown key, no key id where several keys could be meant, and a wrong signature.
        """
        fitting = [key for key in keys if _fits(key, self.algorithm) and self.kid in (None, key.kid)]
        if not fitting or (self.kid is None and len(fitting) > 1):
            raise Refused(Reason.KEY)
        if not any(self._proved_by(key) for key in fitting):
            raise Refused(Reason.SIGNATURE)
        try:
            claims = json.loads(self._signature.payload or b"")
        except ValueError as error:
            raise Refused(Reason.MALFORMED) from error
        if not isinstance(claims, dict):
            raise Refused(Reason.MALFORMED)
        return claims

    def _proved_by(self, key: SigningKey) -> bool:
        try:
            return jws.validate_compact(self._signature, key, registry=self._registry)
        except (JoseError, ValueError):
            return False


def _fits(key: SigningKey, algorithm: str) -> bool:
    if key.get("alg") not in (None, algorithm):
        return False
    if isinstance(key, ECKey):
        return algorithm == "ES256" and key.curve_name == "P-256"
    return algorithm in ("RS256", "PS256")


def check_id_token(claims: Mapping[str, object], provider: Provider, now: datetime, nonce: str | None) -> str:
    """Return the subject of an ID token (OpenID Connect Core 3.1.3.7), or refuse it.

    Stricter than the standard: the audience is this client alone, and the token is fresh. `nonce` is None only for
    a refreshed token.
    """
    _check_origin(claims, provider, now)
    if nonce is not None and not same(claims.get("nonce"), nonce):
        raise Refused(Reason.NONCE)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > 255:
        raise Refused(Reason.SUBJECT)
    if provider.required_acr and claims.get("acr") not in provider.required_acr:
        raise Refused(Reason.ACR)
    return subject


def check_access_token(claims: Mapping[str, object], access_token: str, algorithm: str) -> None:
    """Refuse an access token that is not the one the ID token was issued with (`at_hash`, when given)."""
    if "at_hash" not in claims:
        return
    expected = create_half_hash(access_token, algorithm)
    if expected is None or not same(claims["at_hash"], expected.decode()):
        raise Refused(Reason.ACCESS_TOKEN_HASH)


def signed_in_at(
    claims: Mapping[str, object], now: datetime, *, started_at: datetime | None = None, max_age: int | None = None
) -> datetime | None:
    """When the person last proved who they are; with `max_age` (seconds) refuses longer before `started_at`.

    `max_age=0` asks for a sign-in of this very moment, give or take the skew of the two clocks.
    """
    at = _instant(claims, "auth_time", Reason.AUTH_TIME)
    if at is not None and at > now + SKEW:
        raise Refused(Reason.AUTH_TIME, "in the future")
    if max_age is not None and started_at is not None:
        if at is None:
            raise Refused(Reason.AUTH_TIME, "missing")
        if at < started_at - timedelta(seconds=max_age) - SKEW:
            raise Refused(Reason.AUTH_TIME, "too long ago")
    return at


def check_logout_token(claims: Mapping[str, object], provider: Provider, now: datetime) -> datetime:
    """Return when a logout token ends (Back-Channel Logout 2.6), or refuse it."""
    ends = _check_origin(claims, provider, now)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Refused(Reason.EVENT)
    if "nonce" in claims:
        raise Refused(Reason.NONCE_PRESENT)
    if not text_claim(claims, "sub") and not text_claim(claims, "sid"):
        raise Refused(Reason.SUBJECT)
    if not text_claim(claims, "jti"):
        raise Refused(Reason.TOKEN_ID)
    return ends


def text_claim(claims: Mapping[str, object], name: str) -> str | None:
    """A claim that is a text with something in it, else None."""
    value = claims.get(name)
    return value.strip() or None if isinstance(value, str) else None


def email_claim(claims: Mapping[str, object]) -> str | None:
    """The mail address, unless the provider itself says that nobody verified it: incidents come in by it."""
    return None if claims.get("email_verified") in (False, "false") else text_claim(claims, "email")


def same(given: object, expected: str) -> bool:
    """Compare a value from outside with a secret of ours without telling how much of it was right."""
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _check_origin(claims: Mapping[str, object], provider: Provider, now: datetime) -> datetime:
    if claims.get("iss") != provider.issuer:
        raise Refused(Reason.ISSUER)
    if claims.get("aud") not in (provider.client_id, [provider.client_id]):
        raise Refused(Reason.AUDIENCE)
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise Refused(Reason.AUTHORIZED_PARTY)
    issued = _instant(claims, "iat", Reason.ISSUED_AT)
    if issued is None or not now - ISSUED_WITHIN <= issued <= now + SKEW:
        raise Refused(Reason.ISSUED_AT)
    ends = _instant(claims, "exp", Reason.EXPIRED)
    if ends is None or ends <= now - SKEW:
        raise Refused(Reason.EXPIRED)
    begins = _instant(claims, "nbf", Reason.NOT_YET)
    if begins is not None and begins > now + SKEW:
        raise Refused(Reason.NOT_YET)
    return ends


def _instant(claims: Mapping[str, object], name: str, reason: Reason) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(reason, f"{name} is no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Refused(reason, f"{name} is no time") from error
