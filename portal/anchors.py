"""The heads of the audit chains, kept outside the database: whoever rewrites a chain there cannot rewrite these.

One line a chain in `audit-heads.jsonl` of the data folder, appended whenever the chains were found whole; ship the file
elsewhere for more than one machine's word.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from auth.audit.models import AuditRecord
from auth.audit.queries import ChainReport

_NAME = "audit-heads.jsonl"


class Anchor(NamedTuple):
    """What a chain's record of a number was once seen to hash to."""

    chain_id: uuid.UUID
    number: int
    hash: str


def keep(folder: Path, chains: list[ChainReport]) -> None:
    """Append the heads of chains found whole."""
    path = folder / _NAME
    with path.open("a", encoding="utf-8") as file:
        for chain in chains:
            if chain.length and not chain.broken:
                line = {"chain": str(chain.chain_id), "number": chain.length, "hash": chain.head}
                file.write(json.dumps(line) + "\n")
    path.chmod(0o600)


def kept(folder: Path) -> Iterator[Anchor]:
    """Give back what was kept, the oldest first; nothing where nothing was."""
    path = folder / _NAME
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        yield Anchor(uuid.UUID(found["chain"]), found["number"], found["hash"])


async def first_moved(folder: Path) -> Anchor | None:
    """Return the first kept head whose record is gone or hashes to something else; run as the system."""
    for anchor in dict.fromkeys(kept(folder)):
        record = await AuditRecord.filter(chain_id=anchor.chain_id, number=anchor.number).first()
        if record is None or record.hash != anchor.hash:
            return anchor
    return None
