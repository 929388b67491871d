"""What of the container files can be held to the code without an engine to build them."""

import json
import re
import subprocess
from pathlib import Path

import asyncpg
import pytest
import yaml

from portal import embedded_postgres
from portal.cli import _parser
from portal.embedded_postgres import APP, OWNER, SUPERUSER
from portal.routes import pages
from portal.settings import Mode, Settings, SettingsRefused

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
PARTS = ["web", "worker", "migrate"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets as an operator makes them."""
    folder = tmp_path_factory.mktemp("docker")
    (folder / "make-secrets").write_text((DOCKER / "make-secrets").read_text())
    for _ in range(2):
        subprocess.run(["sh", folder / "make-secrets", "portal.test", "id.test"], check=True, capture_output=True)
    return folder / "secrets"


def test_every_secret_named_is_made_and_every_one_used_is_named(made: Path) -> None:
    named = COMPOSE["secrets"]
    assert {each["file"] for each in named.values()} <= {f"secrets/{each.name}" for each in made.iterdir()}
    used = {secret for service in COMPOSE["services"].values() for secret in service.get("secrets", [])}
    assert used == named.keys()
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("part", PARTS)
def test_production_takes_the_settings_of_compose(
    part: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = COMPOSE["services"][part]
    for name, value in service["environment"].items():
        if name.startswith("PORTAL_"):
            named = re.sub(r"\$\{PORTAL_NAME[^}]*\}", "portal.test", str(value))
            monkeypatch.setenv(name, re.sub(r"\$\{IDENTITY_NAME[^}]*\}", "id.test", named))
    for secret in service["secrets"]:
        (tmp_path / secret).write_text((made.parent / COMPOSE["secrets"][secret]["file"]).read_text())
    monkeypatch.setattr("portal.settings._SECRETS_FOLDER", tmp_path)
    try:
        settings = Settings.load()
    except SettingsRefused as refusal:
        pytest.fail(str(refusal))
    assert settings.mode is Mode.PRODUCTION
    assert settings.database_url is not None
    assert (settings.database_owner_url is not None) == (part == "migrate")
    assert _parser().parse_args(service["command"]).verb


async def test_the_roles_made_in_compose_are_those_the_portal_asks_for(made: Path, tmp_path: Path) -> None:
    with embedded_postgres.start(tmp_path, durable=False) as server:
        connection = await asyncpg.connect(server.url(SUPERUSER, "postgres"))
        for statement in ("DROP DATABASE portal", f"DROP ROLE {APP}", f"DROP ROLE {OWNER}"):
            await connection.execute(statement)
        script = (DOCKER / "postgres" / "roles.sh").read_text().replace("/run/secrets", str(made))
        environment = {
            "PATH": f"{server.programs}:/usr/bin:/bin",
            "PGHOST": str(server.address.socket_folder),
            "PGPASSWORD": server.address.passwords[SUPERUSER],
        }
        done = subprocess.run(  # noqa: ASYNC221 - nothing else runs on this loop
            ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        strong = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname IN ('portal_owner', 'portal_app', 'keycloak')"
            " AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
        )
        owner = await connection.fetchval("SELECT datdba::regrole::text FROM pg_database WHERE datname = 'portal'")
        await connection.close()
        assert (strong, owner) == ([], OWNER)
        for role in (APP, OWNER):
            password = (made / f"{role}_password").read_text()
            own = await asyncpg.connect(server.url(role).replace(server.address.passwords[role], password))
            assert await own.fetchval("SELECT current_user") == role
            await own.close()


def test_the_identity_providers_client_is_the_portal_and_leads_to_its_pages() -> None:
    realm = json.loads((DOCKER / "keycloak" / "realm.json").read_text("utf-8"))
    [client] = realm["clients"]
    settings = COMPOSE["services"]["web"]["environment"]
    assert client["clientId"] == settings["PORTAL_OIDC_CLIENT_ID"]
    assert settings["PORTAL_OIDC_ISSUER"].endswith(f"/realms/{realm['realm']}")
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["attributes"]["id.token.signed.response.alg"] == "RS256"
    named = {page.name: page.path for page in pages(Settings(mode=Mode.TEST))}
    assert client["redirectUris"] == ["${PORTAL_ADDRESS}" + named["sign_in.callback"]]
    assert client["attributes"]["post.logout.redirect.uris"] == "${PORTAL_ADDRESS}" + named["signed_out"]
    assert client["attributes"]["backchannel.logout.url"] == "${PORTAL_ADDRESS}" + named["back_channel_logout"]


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    recipe = (DOCKER / "Dockerfile").read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--)(.+) \S+$", recipe, re.MULTILINE) for word in line.split()]
    assert len(copied) >= 10
    assert [path for path in copied if not (ROOT / path).exists()] == []
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    assert [path for path in copied if path not in allowed and path.split("/")[0] not in allowed] == []
    assert recipe.index("USER portal") < recipe.index("ENTRYPOINT")
    assert "/healthz" in recipe


@pytest.mark.parametrize("script", ["entrypoint", "make-secrets", "postgres/roles.sh", "keycloak/start"])
def test_scripts_are_understood_by_their_shell(script: str) -> None:
    path = DOCKER / script
    shell = path.read_text("utf-8").splitlines()[0].removeprefix("#!")
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
