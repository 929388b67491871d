import os
import re
import secrets
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from portal.settings import Mode, Settings, SettingsRefused, weakness_of

ROOT = Path(__file__).parents[2]
KEY = secrets.token_urlsafe(48)
GOOD = {
    "PORTAL_PUBLIC_URL": "https://portal.example.go.th/",
    "PORTAL_SECRET_KEYS": f"{KEY},{secrets.token_urlsafe(48)}",
    "PORTAL_OIDC_ISSUER": "https://signin.example.go.th/realms/agencies",
    "PORTAL_OIDC_CLIENT_ID": "portal",
    "PORTAL_OIDC_CLIENT_SECRET": secrets.token_urlsafe(24),
    "PORTAL_DATABASE_URL": "postgresql://portal_app:x@db/portal",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused) as refusal:
        Settings.load()
    return refusal.value.problems


def test_a_demo_needs_no_setting_at_all(tmp_path: Path) -> None:
    settings = Settings.load(mode="demo", port=8001)
    assert settings.public_url == "http://localhost:8001"
    assert settings.data_dir == Path(".data/8001")
    assert (settings.embedded_identity_provider, settings.demo_clock) == (True, True)
    assert (settings.identity_port, settings.oidc_issuer) == (9001, "http://localhost:9001")
    assert settings.oidc_client_id == "portal"
    kept = tmp_path / ".data/8001/secret-key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert settings.secret_keys == Settings.load(mode="demo", port=8001).secret_keys == (SecretStr(kept.read_text()),)


def test_a_demo_may_sign_in_elsewhere_but_then_needs_to_be_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(monkeypatch, PORTAL_MODE="demo", PORTAL_OIDC_ISSUER="http://localhost:8080/realms/portal")
    assert [problem.split()[0] for problem in problems] == ["PORTAL_OIDC_CLIENT_ID", "PORTAL_OIDC_CLIENT_SECRET"]


def test_good_production_settings_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORTAL_ALLOWED_NETWORKS", "10.0.0.0/8, 2001:db8::/32")
    settings = Settings.load()
    assert settings.mode is Mode.PRODUCTION
    assert settings.public_url == "https://portal.example.go.th"
    assert settings.secret_keys[0].get_secret_value() == KEY
    assert len(settings.allowed_networks) == 2
    assert (settings.embedded_identity_provider, settings.demo_clock, settings.debug) == (False, False, False)


def test_production_without_settings_names_every_one_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {re.split(r"[ :]", problem)[0] for problem in refused(monkeypatch)}
    assert named == {
        "PORTAL_OIDC_ISSUER",
        "PORTAL_OIDC_CLIENT_ID",
        "PORTAL_OIDC_CLIENT_SECRET",
        "PORTAL_PUBLIC_URL",
        "PORTAL_SECRET_KEYS",
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTAL_EMBEDDED_IDENTITY_PROVIDER", "true", "built-in accounts"),
        ("PORTAL_DEMO_CLOCK", "true", "real time"),
        ("PORTAL_DEBUG", "true", "traceback"),
        ("PORTAL_PUBLIC_URL", "http://portal.example.go.th", "TLS only"),
        ("PORTAL_OIDC_ISSUER", "http://signin.example.go.th", "TLS only"),
        ("PORTAL_SECRET_KEYS", "short", "shorter than 32"),
        ("PORTAL_SECRET_KEYS", "a" * 64, "repeats"),
        ("PORTAL_SECRET_KEYS", f"{KEY} change-me-before-going-live-0987654321", "key 2 contains a word"),
        ("PORTAL_OIDC_CLIENT_SECRET", "short", "shorter than 16"),
        ("PORTAL_OIDC_CLIENT_SECRET", "portal-client-secret-0987", "contains a word"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    [problem] = refused(monkeypatch, **(GOOD | {name: value}))
    assert problem.startswith(name)
    assert said in problem


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTAL_PORT", "eighty", "must be a valid integer"),
        ("PORTAL_PORT", "0", "greater than or equal to 1"),
        ("PORTAL_MODE", "live", "'demo', 'production' or 'test'"),
        ("PORTAL_PUBLIC_URL", "portal.example", "not a web address"),
        ("PORTAL_PUBLIC_URL", "https://example.go.th/portal", "must end after the host"),
        ("PORTAL_DATABASE_URL", "mysql://portal:hush@db/portal", "not a PostgreSQL address"),
        ("PORTAL_ALLOWED_NETWORKS", "10.0.0.0/8 10.0.0.1/40", "not a valid"),
        ("PORTAL_OIDC_ISSUER", "https://x.example/.well-known/openid-configuration", "the issuer itself"),
        ("PORTAL_SESSION_IDLE_MINUTES", "0", "greater than or equal to 1"),
        ("PORTAL_PUBLC_URL", "https://x.example", "Did you mean PORTAL_PUBLIC_URL?"),
        ("PORTAL_ZZZ", "1", "not a setting"),
    ],
)
def test_a_bad_setting_names_itself_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    [problem] = refused(monkeypatch, **({"PORTAL_MODE": "demo"} | {name: value}))
    assert problem.startswith(name)
    assert said in problem


def test_a_refusal_repeats_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(monkeypatch, PORTAL_DATABASE_URL="mysql://portal:hush@db/portal", PORTAL_SECRET_KEYS="hush")
    assert "hush" not in " ".join(problems)


def test_settings_in_a_log_show_no_secret() -> None:
    shown = Settings(mode=Mode.TEST, secret_keys=(SecretStr("hush"),), oidc_client_secret=SecretStr("hush"))
    assert "hush" not in f"{shown!r} {shown}"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DATABASE_URL", "")
    assert Settings.load(mode="demo").database_url is None


def test_a_secret_file_serves_as_well_as_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "portal_secret_keys").write_text(f"{KEY}\n")
    monkeypatch.setattr("portal.settings._SECRETS_FOLDER", tmp_path)
    for name, value in GOOD.items():
        if name != "PORTAL_SECRET_KEYS":
            monkeypatch.setenv(name, value)
    assert Settings.load().secret_keys == (SecretStr(KEY),)


def test_a_generated_key_is_strong() -> None:
    assert weakness_of(KEY) is None


def test_the_operations_manual_explains_every_setting_and_no_other() -> None:
    documented = set(
        re.findall(r"^\| `(PORTAL_[A-Z_]+)` \|", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    )
    assert documented == {f"PORTAL_{name.upper()}" for name in Settings.model_fields}
