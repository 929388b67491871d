import json
import re
import tomllib
from pathlib import Path

import pytest

from portal.assets import FILES, MODULES, AssetsRefused, sprite
from portal.icons import ICONS

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
# Below these versions are known vulnerabilities; a service that lists such may be out of reach when a lock is made.
FLOORS = {"starlette": (1, 3, 1), "authlib": (1, 9, 0), "python-multipart": (0, 0, 30), "jinja2": (3, 1, 6)}


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))


def declared(*, dev: bool) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = project["dependencies"] + (project["optional-dependencies"]["dev"] if dev else [])
    return {re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in named}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_package_is_locked(lock: str) -> None:
    assert declared(dev="dev" in lock) <= pins(lock).keys()


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    shipped, tested = pins(LOCKS[0]), pins(LOCKS[1])
    assert shipped == {name: tested.get(name) for name in shipped}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_by_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(entries) > 40
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", [*LOCKS, ".npmrc"])
def test_no_lock_names_where_packages_come_from(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert re.findall(r"\w+://\S+|--\w*-?(?:index-url|find-links)|\bfile:", text) == []


def test_the_front_ends_lock_names_no_registry_and_every_hash() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert len(packages) > 5
    assert [path for path, entry in packages.items() if "resolved" in entry] == []
    assert [path for path, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_no_package_is_below_its_floor(lock: str, package: str, floor: tuple[int, ...]) -> None:
    assert tuple(int(part) for part in pins(lock)[package].split(".")[:3]) >= floor


def test_what_pages_use_is_among_what_is_installed() -> None:
    named = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    assert {"/".join(path.split("/")[: 2 if path.startswith("@") else 1]) for path in FILES.values()} == named.keys()
    assert [path for path in FILES.values() if not (MODULES / path).exists()] == []


def test_the_sprite_holds_the_icons_in_use() -> None:
    drawn = sprite(MODULES / "@tabler/icons/icons/outline")
    assert set(re.findall(r'<symbol id="tabler-([a-z0-9-]+)" viewBox', drawn)) == ICONS
    assert "<script" not in drawn


def test_an_icon_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetsRefused, match=min(ICONS)):
        sprite(tmp_path)
