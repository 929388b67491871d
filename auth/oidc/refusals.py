# ruff: noqa: S105  the reasons speak of tokens; none of them is one
from enum import StrEnum

from auth.errors import Refusal


class Reason(StrEnum):
    """Why a sign-in or a logout notice was refused; for the log and the audit trail, not for the person."""

    STATE = "the answer belongs to no sign-in started here"
    TOO_LATE = "the sign-in was started too long ago"
    DENIED = "the person or the provider said no"
    PROVIDER_ERROR = "the provider answered with an error"
    CODE_MISSING = "the answer carries no code"
    TOKEN_REFUSED = "the provider refused the code"
    TOKEN_RESPONSE = "the token response is not one"
    ID_TOKEN_MISSING = "the token response has no ID token"
    MALFORMED = "the token cannot be read"
    TOKEN_TYPE = "the token is of another type"
    ALGORITHM = "the signing algorithm is not allowed"
    KEY = "no published key fits the token"
    SIGNATURE = "the signature is wrong"
    ISSUER = "the issuer is another"
    AUDIENCE = "the token is meant for another audience"
    AUTHORIZED_PARTY = "the token was issued to another party"
    SUBJECT = "the token names nobody"
    ISSUED_AT = "the time of issue is missing, too old or in the future"
    EXPIRED = "the token has no end or is past it"
    NOT_YET = "the token is not valid yet"
    NONCE = "the nonce is missing or another"
    ACCESS_TOKEN_HASH = "the access token is not the one the ID token speaks of"
    AUTH_TIME = "the person did not sign in recently enough"
    ACR = "the sign-in was weaker than required"
    USERINFO = "the user information is about somebody else"
    DIFFERENT_PERSON = "somebody else signed in"
    METADATA_ISSUER = "the provider's metadata names another issuer"
    METADATA = "the provider's metadata lacks what is needed"
    EVENT = "the logout token carries no logout event"
    NONCE_PRESENT = "a logout token must not carry a nonce"
    TOKEN_ID = "the logout token has no id"


class Refused(Refusal):
    """A refusal with its reason and, where it helps, a detail that is safe to log (never a token or a secret)."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = "".join(c for c in detail[:80] if c.isascii() and c.isprintable())
        super().__init__(f"{reason.value} ({self.detail})" if self.detail else reason.value)


class SignInRefused(Refused):
    """The sign-in did not prove who the person is; nobody is signed in."""


class LogoutRefused(Refused):
    """The logout notice is not the provider's; the session stays (answer 400)."""


class ProviderUnavailable(Exception):
    """The identity provider is down, slow or answers nonsense; sessions already open are not affected."""
