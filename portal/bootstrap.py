"""Makes a fresh checkout able to run: a virtual environment, the locked packages, what pages need in the browser.

Needs Python 3.11 or newer and nothing else; run as a script, so it imports nothing of the portal. Repeating it costs
a fraction of a second when nothing has changed.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"


class SetupRefused(Exception):
    """The checkout cannot be made ready; the text says what to do."""


def main() -> int:
    """Make the checkout ready, saying what is done; returns 1 with a remedy when it cannot."""
    parser = argparse.ArgumentParser(description="Install what the portal needs into this folder.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    dev = parser.parse_args().dev
    try:
        with _alone():
            _environment()
            _packages(DEV_LOCK if dev else LOCK)
            _browser_files(dev=dev)
    except SetupRefused as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    return 0


def _environment() -> None:
    if _works(PYTHON):
        return
    version = ".".join(str(part) for part in sys.version_info[:3])
    _say(f"Creating a virtual environment in .venv (Python {version}) …")
    done = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode:
        raise SetupRefused(
            "Python could not create a virtual environment. On Debian and Ubuntu: apt install python3-venv\n"
            + done.stderr.strip()
        )


def _packages(lock: str) -> None:
    wanted = {name: _digest(ROOT / name) for name in dict.fromkeys((LOCK, lock))}
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(STAMP.read_text())
        if all(found.get(name) == digest for name, digest in wanted.items()):
            return
    count = len(re.findall(r"^[a-z0-9]", (ROOT / lock).read_text(), re.MULTILINE))
    _say(f"Installing {count} Python packages, each checked against its hash ({lock}) …")
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check"]
    command += ["--no-input", "--no-compile", "--no-warn-script-location", "--progress-bar", "off", "-r", lock]
    pip = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    assert pip.stdout is not None  # noqa: S101 - PIPE was asked for
    for line in pip.stdout:
        if size := re.match(r"\s*(?:Downloading|Using cached) .*?([^/\s]+)\.(?:whl|tar\.gz)\S* \((.*)\)", line):
            _say(f"  {size[1].split('-')[0]} ({size[2]})")
        elif line.startswith("Installing collected"):
            _say("  unpacking …")
    _, errors = pip.communicate()
    if pip.returncode:
        raise SetupRefused(
            f"Installing the Python packages failed.\n{errors.strip()}\n"
            "Check the connection (or your package mirror's settings) and try again; what was fetched is kept."
        )
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):  # each process would compile every package again, a second or two
        _say("  compiling …")
        subprocess.run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")], check=False)  # noqa: S603
    STAMP.write_text(json.dumps(wanted))


def _browser_files(*, dev: bool) -> None:
    command = [str(PYTHON), "-m", "portal.assets", *(["--dev"] if dev else [])]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603
        raise SetupRefused("The files for the browser could not be installed; the reason is above.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let several setups in one folder take turns."""
    folder = ROOT / ".data"
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _say("Waiting for another setup in this folder …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _works(python: Path) -> bool:
    return python.exists() and _run([str(python), "-c", "import pip"]).returncode == 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this may have any Python
        sys.exit("The portal needs Python 3.11 or newer. Install it, or name one: make run PYTHON=/path/to/python3.12")
    started = time.monotonic()
    status = main()
    if not status and time.monotonic() - started > 5:
        _say(f"Ready after {time.monotonic() - started:.0f} seconds.")
    sys.exit(status)
