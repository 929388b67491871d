"""The data folder of the embedded database: who holds it, its passwords, its socket."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

SUPERUSER: Final = "postgres"
OWNER: Final = "portal_owner"
APP: Final = "portal_app"
DATABASE: Final = "portal"
PORT: Final = 5432  # only part of the socket's name; nothing listens on a network

_LONGEST_SOCKET: Final = 106  # bytes; the kernel's limit, less its closing zero


class DatabaseRefused(Exception):
    """The embedded database cannot be started; the text names the folder and the remedy."""


class DataFolderInUse(DatabaseRefused):
    """Another portal is running on the same data folder."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running embedded database listens, and the passwords of its roles."""

    socket_folder: Path
    passwords: Mapping[str, str]

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Return a connection URL for one of the three roles, as asyncpg, libpq and Tortoise read it."""
        host = urlencode({"host": str(self.socket_folder)})
        return f"postgresql://{role}:{self.passwords[role]}@/{database}?{host}"


def hold(folder: Path) -> int:
    """Take the folder for this process; the lock falls with the process, however it ends."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(lock, 32).decode(errors="replace").strip()
        os.close(lock)
        who = f" (process {holder})" if holder else ""
        raise DataFolderInUse(
            f"Another portal{who} is running on the data folder {folder}.\n"
            "Stop that one, or give this one a folder of its own: PORTAL_DATA_DIR=/another/folder, "
            "or make run PORT=8001, which keeps its data apart."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock


def passwords(folder: Path, home: Path) -> dict[str, str]:
    """Return the roles' passwords, made on first use; refuses a cluster whose passwords are gone."""
    kept = folder / "cluster.json"
    if kept.exists():
        passwords: dict[str, str] = json.loads(kept.read_text())["passwords"]
        return passwords
    if (home / "postgres").exists():
        raise DatabaseRefused(
            f"{kept} is missing, and with it the passwords of the database in {home / 'postgres'}.\n"
            "Put the file back from your backup, or move the folder away to begin again with empty data."
        )
    passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APP)}
    write_private(kept, json.dumps({"home": str(home), "passwords": passwords}))
    return passwords


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def socket_folder(home: Path, uid: int | None) -> Path:
    """Return a private folder for the socket; a short one where the data folder's path is too long for it."""
    folder = home / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _LONGEST_SOCKET or "," in str(folder):
        folder = Path(tempfile.gettempdir()) / f"portal-{digest(home)}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        give(folder, uid)
    seen = folder.lstat()
    if folder.is_symlink() or seen.st_mode & 0o077 or seen.st_uid not in {os.geteuid(), uid}:
        raise DatabaseRefused(f"{folder} is not a private folder of this account. Remove it and start again.")
    return folder


def digest(path: Path, *more: str) -> str:
    """Return a short name for a path, safe in a file name."""
    return hashlib.sha256("\0".join((str(path), *more)).encode()).hexdigest()[:12]


def give(path: Path, uid: int | None) -> None:
    """Hand a path of ours to the account the server runs under, when that is another one than ours."""
    if uid is not None:
        os.chown(path, uid, uid)
