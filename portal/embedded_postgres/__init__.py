"""The PostgreSQL server the portal brings along, for a machine that has none.

The data folder holds everything: the cluster, its socket, its log, and the generated passwords (0600).
The server listens on a unix socket only, asks every role for its password (SCRAM), and dies with the process
that started it. Several processes may talk to it; only one may start it on a given folder.
"""

from portal.embedded_postgres.folder import (
    APP,
    DATABASE,
    OWNER,
    SUPERUSER,
    Address,
    DatabaseRefused,
    DataFolderInUse,
)
from portal.embedded_postgres.server import Running, attach, folders_beside, start

__all__ = [
    "APP",
    "DATABASE",
    "OWNER",
    "SUPERUSER",
    "Address",
    "DataFolderInUse",
    "DatabaseRefused",
    "Running",
    "attach",
    "folders_beside",
    "start",
]
