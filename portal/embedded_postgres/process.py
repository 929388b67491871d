"""The server process: its settings, and how to recognise it."""

import itertools
import os
import subprocess
from pathlib import Path

from portal.embedded_postgres.folder import APP, PORT


def server_options(*, durable: bool) -> dict[str, str]:
    """Return the server's settings; not durable is for tests only: a crash may lose everything."""
    options = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "256MB" if durable else "128MB",
        "jit": "off",  # costs more than it saves on short queries
        "timezone": "UTC",
        "log_timezone": "UTC",
        "datestyle": "ISO, YMD",
        "lc_messages": "C",
        "logging_collector": "on",
        "log_filename": "postgres-%a.log",  # a week of logs, then over again
        "log_rotation_age": "1d",
        "log_truncate_on_rotation": "on",
        "log_error_verbosity": "terse",  # an error's DETAIL repeats the row
        "log_min_error_statement": "panic",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return options


def is_server(pid: int, cluster: Path) -> bool:
    """Tell a live server of this very cluster from a zombie and from another process with its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if Path("/proc/self").exists():
            return False
        listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603, S607
        words = listed.stdout.split(b" ")
    return (b"-D", os.fsencode(cluster)) in itertools.pairwise(words)


def connect_rights(database: str) -> str:
    """Return the SQL that lets only the owner and the application connect to a database."""
    return (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;\nGRANT CONNECT, TEMPORARY ON DATABASE {database} TO {APP};\n"
    )
