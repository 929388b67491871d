"""Every setting of the portal: read from the environment, checked at start, explained when wrong.

A setting is the environment variable `PORTAL_` + its name in capitals; with /run/secrets present, also a file of
that name there. Lists are separated by commas or blanks. docs/operations.md explains each one to operators.
"""

import difflib
import enum
import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from billing.metering.rules import LEAST_MONTHS_KEPT

PREFIX: Final = "PORTAL_"
_SECRETS_FOLDER: Final = Path("/run/secrets")
_FEWEST_CHARACTERS: Final = 12
_PLACEHOLDERS: Final = ("change", "secret", "password", "example", "default", "placeholder", "123456", "qwerty")
_MAKE_ONE: Final = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_NOT_SETTINGS: Final = ("PORTAL_TEST_",)


class Mode(enum.StrEnum):
    """What the portal runs for."""

    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


class SettingsRefused(Exception):
    """Settings are missing or bad; `problems` has one sentence for each, with its remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The portal cannot start with these settings:\n" + "\n".join(f"- {each}" for each in problems))
        self.problems = problems


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not a web address such as https://portal.example.go.th")
    return value


def _site(value: str) -> str:
    if urlsplit(_web_address(value)).path not in {"", "/"}:
        raise ValueError("not the address of a whole site: it must end after the host name or port")
    return value.rstrip("/")


def _postgres(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
        raise ValueError("not a PostgreSQL address such as postgresql://portal_app:…@db.example/portal")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
Site = Annotated[str, AfterValidator(_site)]
PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """The portal's settings. Build them with `Settings.load()`, which refuses with plain words."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    mode: Mode = Field(Mode.PRODUCTION, description="what the portal runs for: demo, production or test")
    host: str = Field("127.0.0.1", description="the address the web server listens on")
    port: int = Field(8000, ge=1, le=65535, description="the port the web server listens on")
    public_url: Site = Field(
        default_factory=lambda data: f"http://localhost:{data.get('port', 8000)}",
        description="the address people type, without a path",
    )
    data_dir: Path = Field(
        default_factory=lambda data: Path(".data") / str(data.get("port", 8000)),
        description="the folder for the embedded database and generated keys",
    )

    database_url: PostgresAddress | None = Field(
        None, description="the database, as the application's role; unset, the embedded one is used"
    )
    database_owner_url: PostgresAddress | None = Field(
        None, description="the same database, as the owner of its tables; only migrations use it"
    )
    database_pool: int = Field(10, ge=2, le=100, description="database connections per process")

    secret_keys: Secrets = Field(
        (), description="keys for signing, newest first: the first signs, all are accepted, so that keys can change"
    )
    oidc_issuer: WebAddress | None = Field(None, description="the identity provider")
    oidc_client_id: str | None = Field(None, description="the portal's name at the identity provider")
    oidc_client_secret: SecretStr | None = Field(None, description="the portal's secret at the identity provider")
    oidc_token_auth_method: Literal["client_secret_basic", "client_secret_post", "none"] = Field(
        "client_secret_basic", description="how the portal shows its secret to the identity provider"
    )
    oidc_scopes: Words = Field(("openid", "profile", "email"), description="what is asked of the identity provider")
    oidc_authorization_endpoint: WebAddress | None = Field(
        None, description="an address to use instead of the one the identity provider publishes"
    )
    oidc_token_endpoint: WebAddress | None = Field(
        None, description="an address to use instead of the one the identity provider publishes"
    )
    oidc_userinfo_endpoint: WebAddress | None = Field(
        None, description="an address to use instead of the one the identity provider publishes"
    )
    oidc_jwks_uri: WebAddress | None = Field(
        None, description="an address to use instead of the one the identity provider publishes"
    )
    oidc_end_session_endpoint: WebAddress | None = Field(
        None, description="an address to use instead of the one the identity provider publishes"
    )
    embedded_identity_provider: bool = Field(
        default_factory=lambda data: data.get("mode") is Mode.DEMO and not data.get("oidc_issuer"),
        description="whether to bring an identity provider with one account per role; never in production",
    )
    identity_port: int = Field(
        default_factory=lambda data: _beside(data.get("port", 8000)),
        ge=1,
        le=65535,
        description="the port of the embedded identity provider",
    )

    demo_clock: bool = Field(
        default_factory=lambda data: data.get("mode") is Mode.DEMO,
        description="whether people may set and advance the business clock; never in production",
    )
    debug: bool = Field(default=False, description="whether tracebacks are shown in the browser; never in production")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")
    log_format: Literal["text", "json"] = Field(
        default_factory=lambda data: "json" if data.get("mode") is Mode.PRODUCTION else "text",
        description="how the log is written: text for people, json for collectors",
    )

    session_idle_minutes: int = Field(
        30, ge=1, le=24 * 60, description="minutes without a click after which a session ends"
    )
    session_absolute_hours: int = Field(12, ge=1, le=24 * 7, description="hours after which a session ends in any case")
    fresh_sign_in_minutes: int = Field(
        5, ge=1, le=60, description="minutes a sign-in stays fresh enough to confirm a quote or issue a statement"
    )
    contact_phone: str = Field("", description="the help-desk's telephone number, shown at the foot of every page")
    contact_email: str = Field("", description="the help-desk's mail address, shown at the foot of every page")
    contact_line: str = Field("", description="the help-desk's LINE official account, such as @help")
    line_api_url: Site = Field("https://api.line.me", description="where LINE takes the help-desk's answers")
    line_data_url: Site = Field("https://api-data.line.me", description="where LINE keeps files people send")
    confirmation_days: int = Field(15, ge=1, le=365, description="days an agency has to confirm a quote")
    allowed_networks: Networks = Field((), description="the only networks served; none named means all")
    trusted_proxies: Networks = Field((), description="the proxies whose X-Forwarded-For and -Proto are believed")
    usage_events_months: int = Field(
        0, ge=0, le=1200, description="whole months single usage events are kept, 3 or more; 0 keeps them for ever"
    )
    body_limit: int = Field(1024 * 1024, ge=1024, description="bytes a form or an API call may carry")
    upload_limit: int = Field(20 * 1024 * 1024, ge=1024, description="bytes one attached file may have")
    sign_in_limit: int = Field(
        60, ge=1, description="sign-ins one address may begin in a minute, counted in each web process"
    )
    api_token_limit: int = Field(
        12_000, ge=1, description="API calls one token may make in a minute, counted in each web process"
    )
    api_address_limit: int = Field(
        24_000, ge=1, description="API calls one address may make in a minute, counted in each web process"
    )
    web_processes: int = Field(1, ge=1, le=64, description="web server processes on this machine")
    unready_seconds: int = Field(
        default_factory=lambda data: 5 if data.get("mode") is Mode.PRODUCTION else 0,
        ge=0,
        le=300,
        description="how long the web server serves on at shutdown after saying that it is not ready",
    )
    drain_seconds: int = Field(30, ge=1, le=300, description="how long running requests may finish at shutdown")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_is_plain(cls, value: str | None) -> str | None:
        if value and value.endswith("/.well-known/openid-configuration"):
            raise ValueError("name the issuer itself, without /.well-known/openid-configuration")
        return value

    @field_validator("usage_events_months")
    @classmethod
    def _as_long_as_usage_may_be_late(cls, value: int) -> int:
        if 0 < value < LEAST_MONTHS_KEPT:
            raise ValueError(f"usage may still come or be corrected; give 0 or at least {LEAST_MONTHS_KEPT}")
        return value

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the environment, `given` first; refuses (SettingsRefused) naming every problem and its remedy."""
        problems = _misspelt(os.environ, cls)
        if _SECRETS_FOLDER.is_dir():
            given = {"_secrets_dir": _SECRETS_FOLDER} | given
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise SettingsRefused(problems + _explained(error, cls)) from None
        if settings.mode is Mode.PRODUCTION:
            problems += unfit_for_production(settings)
        elif settings.mode is Mode.DEMO and not settings.embedded_identity_provider:
            problems += _without_sign_in(settings)
        if problems:
            raise SettingsRefused(problems)
        return settings.model_copy(update=_brought_along(settings))

    @property
    def https(self) -> bool:
        """Whether people reach the portal over TLS."""
        return self.public_url.startswith("https://")


def unfit_for_production(settings: Settings) -> list[str]:
    """Return what production refuses in these settings, each with its remedy; empty when they will do."""
    refused = {
        "PORTAL_EMBEDDED_IDENTITY_PROVIDER: production takes no built-in accounts. Remove it and name the "
        "agencies' identity provider in PORTAL_OIDC_ISSUER.": settings.embedded_identity_provider,
        "PORTAL_DEMO_CLOCK: production runs on real time. Remove it.": settings.demo_clock,
        "PORTAL_DEBUG: production shows nobody a traceback. Remove it; the log has them.": settings.debug,
        "PORTAL_PUBLIC_URL: production is reached over TLS only. Set the https:// address people type.": (
            not settings.https
        ),
        "PORTAL_OIDC_ISSUER: production signs in over TLS only. Set an https:// address.": (
            (settings.oidc_issuer or "").startswith("http://")
        ),
        f"PORTAL_SECRET_KEYS is missing. {_MAKE_ONE}": not settings.secret_keys,
    }
    problems = _without_sign_in(settings) + [problem for problem, found in refused.items() if found]
    for number, key in enumerate(settings.secret_keys, start=1):
        if weakness := weakness_of(key.get_secret_value()):
            problems.append(f"PORTAL_SECRET_KEYS: key {number} {weakness}. {_MAKE_ONE}")
    secret = settings.oidc_client_secret
    if secret and (weakness := weakness_of(secret.get_secret_value(), shortest=16)):
        problems.append(
            f"PORTAL_OIDC_CLIENT_SECRET {weakness}. Have the identity provider generate a new secret for the portal."
        )
    return problems


def weakness_of(secret: str, *, shortest: int = 32) -> str | None:
    """Say why a secret is too weak for production; None when it will do."""
    if len(secret) < shortest:
        return f"is shorter than {shortest} characters"
    if len(set(secret)) < _FEWEST_CHARACTERS:
        return f"repeats fewer than {_FEWEST_CHARACTERS} different characters"
    plain = secret.lower()
    if any(word in plain for word in _PLACEHOLDERS):
        return "contains a word that placeholders contain"
    return None


def _without_sign_in(settings: Settings) -> list[str]:
    missing = []
    if not settings.oidc_issuer:
        missing.append(
            "PORTAL_OIDC_ISSUER is missing: it is the identity provider people sign in with. "
            "Set it to the address the provider gives as its issuer."
        )
    if not settings.oidc_client_id:
        missing.append("PORTAL_OIDC_CLIENT_ID is missing. Register the portal at the identity provider and set it.")
    if not settings.oidc_client_secret and settings.oidc_token_auth_method != "none":  # noqa: S105 - a method's name
        missing.append(
            "PORTAL_OIDC_CLIENT_SECRET is missing. Copy the secret the identity provider gave the portal, or set "
            "PORTAL_OIDC_TOKEN_AUTH_METHOD=none for a client without one."
        )
    return missing


def _misspelt(environment: Mapping[str, str], cls: type[Settings]) -> list[str]:
    known = [f"{PREFIX}{name.upper()}" for name in cls.model_fields]
    problems = []
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(_NOT_SETTINGS):
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"Did you mean {near[0]}?" if near else "Remove it; docs/operations.md lists the settings."
            problems.append(f"{name} is not a setting. {meant}")
    return problems


def _explained(error: ValidationError, cls: type[Settings]) -> list[str]:
    problems: dict[str, str] = {}
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        if each["type"] == "default_factory_not_called":
            continue  # follows from another setting's fault
        name = str(each["loc"][0])
        said = each["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        meaning = f" It sets {cls.model_fields[name].description}." if name in cls.model_fields else ""
        problems.setdefault(name, f"{PREFIX}{name.upper()}: {said}.{meaning} Correct it or remove it.")
    return list(problems.values())


def _beside(port: int) -> int:
    return port + 1000 if port <= 64535 else port - 1000


def _brought_along(settings: Settings) -> dict[str, object]:
    """Return what a demo or a test has without being told: a key of its own, its own identity provider."""
    keys = settings.secret_keys or (_own_key(settings),)
    if not settings.embedded_identity_provider:
        return {"secret_keys": keys}
    return {
        "secret_keys": keys,
        "oidc_issuer": settings.oidc_issuer or f"http://localhost:{settings.identity_port}",
        "oidc_client_id": settings.oidc_client_id or "portal",
        "oidc_client_secret": settings.oidc_client_secret or keys[-1],
    }


def _own_key(settings: Settings) -> SecretStr:
    """Return the key kept in the data folder of a demo or test, made on first use."""
    kept = settings.data_dir / "secret-key"
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return SecretStr(kept.read_text())
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(48))
    return SecretStr(key)
