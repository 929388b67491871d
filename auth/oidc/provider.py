import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Literal, Self
from urllib.parse import urlsplit

from auth.oidc.refusals import Reason, Refused

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What an ID or logout token may be signed with; symmetric keys and `none` are never among them."""

TokenAuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]

_METADATA_NAMES = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "keys": "jwks_uri",
    "userinfo": "userinfo_endpoint",
    "end_session": "end_session_endpoint",
}


@dataclass(frozen=True)
class Endpoints:
    """Where the provider is reached; `keys` is the address of its published signing keys."""

    authorization: str | None = None
    token: str | None = None
    keys: str | None = None
    userinfo: str | None = None
    end_session: str | None = None
    names_issuer: bool = False
    """The provider promises an `iss` in the answer to the sign-in (RFC 9207)."""

    @property
    def complete(self) -> bool:
        """Whether a person can sign in with these alone."""
        return bool(self.authorization and self.token and self.keys)

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, object]) -> Self:
        """Read the provider's metadata document; what is not a string is left out."""
        found = {ours: metadata.get(theirs) for ours, theirs in _METADATA_NAMES.items()}
        return cls(
            **{name: value for name, value in found.items() if isinstance(value, str) and value},
            names_issuer=metadata.get("authorization_response_iss_parameter_supported") is True,
        )

    def overridden_by(self, other: "Endpoints") -> "Endpoints":
        """These, with every address that `other` gives put in its place."""
        given = {name: getattr(other, name) for name in _METADATA_NAMES if getattr(other, name)}
        return replace(self, **given)


@dataclass(frozen=True)
class Provider:
    """An identity provider and how the portal is registered with it.

    Refuses (ValueError) addresses that are not https, loopback excepted unless `allow_http`, and algorithms outside
    `ALGORITHMS`. `endpoints` overrides discovery; when it names authorization, token and keys, nothing is discovered.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    post_logout_redirect_uri: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    token_auth_method: TokenAuthMethod = "client_secret_basic"  # noqa: S105  a method's name, not a secret
    endpoints: Endpoints = Endpoints()
    algorithms: tuple[str, ...] = ALGORITHMS
    required_acr: tuple[str, ...] = ()
    ask_userinfo: bool = True
    patience: timedelta = timedelta(seconds=4)
    """How long one step of a sign-in waits for the provider in all; the page must answer within five seconds."""
    allow_http: bool = False

    def __post_init__(self) -> None:
        if not self.client_id or "openid" not in self.scopes:
            raise ValueError("a provider needs a client id and the scope openid")
        if not self.client_secret and self.token_auth_method != "none":  # noqa: S105  a method's name
            raise ValueError(f"{self.token_auth_method} needs a client secret")
        if not self.algorithms or not set(self.algorithms) <= set(ALGORITHMS):
            raise ValueError(f"signing algorithms must be some of {', '.join(ALGORITHMS)}")
        for address in (self.issuer, *self._given_endpoints()):
            self.check_address(address)

    def _given_endpoints(self) -> list[str]:
        values = [getattr(self.endpoints, f.name) for f in fields(self.endpoints)]
        return [value for value in values if isinstance(value, str)]

    def check_address(self, address: str) -> str:
        """Return `address`, or refuse (ValueError) one whose traffic others could read or that is no address."""
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            return address
        if parts.scheme == "http" and parts.hostname and (self.allow_http or _is_loopback(parts.hostname)):
            return address
        raise ValueError(f"not an https address: {address[:120]}")

    def discovered(self, metadata: Mapping[str, object]) -> Endpoints:
        """The endpoints of a metadata document, ours on top; refuses another issuer's and incomplete ones."""
        if metadata.get("issuer") != self.issuer:
            raise Refused(Reason.METADATA_ISSUER)
        endpoints = Endpoints.from_metadata(metadata).overridden_by(self.endpoints)
        if not endpoints.complete:
            raise Refused(Reason.METADATA, "authorization, token or keys address missing")
        for name in _METADATA_NAMES:
            address = getattr(endpoints, name)
            if address:
                try:
                    self.check_address(address)
                except ValueError as error:
                    raise Refused(Reason.METADATA, f"{name}: not https") from error
        return endpoints

    @property
    def metadata_address(self) -> str:
        """Where the metadata document is published (OpenID Connect Discovery 4)."""
        return self.issuer.rstrip("/") + "/.well-known/openid-configuration"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
