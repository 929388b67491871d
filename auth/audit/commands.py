"""Adding to the audit trail."""

import datetime as dt
import uuid
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from auth.audit.models import AuditRecord
from auth.audit.rules import GENESIS, digest
from auth.rules import Actor

# The chain of work that belongs to no organisation: sign-ins refused, the system's own.
PORTAL_CHAIN = uuid.UUID(int=0)


def describe(
    actor: Actor,
    action: str,
    *,
    at: dt.datetime,
    subject: tuple[str, object] = ("", ""),
    agency_id: uuid.UUID | None = None,
    **detail: Any,
) -> AuditRecord:
    """Return the record of an act, not yet chained: in the agency's chain, else the actor's organisation's."""
    seat_id = actor.seat.id if actor.seat else None
    return AuditRecord(
        chain_id=agency_id or seat_id or PORTAL_CHAIN,
        number=0,
        at=at.astimezone(dt.UTC),
        actor=actor.name,
        person_id=actor.person_id,
        organisation_id=seat_id,
        action=action,
        subject_type=subject[0],
        subject_id=str(subject[1]),
        detail=detail,
        previous="",
        hash="",
    )


async def append(connection: BaseDBAsyncClient, records: list[AuditRecord]) -> None:
    """Chain the records and store them; locks each chain's head, in one order, until the commit."""
    for chain_id in sorted({record.chain_id for record in records}):
        mine = [record for record in records if record.chain_id == chain_id]
        [head] = await connection.execute_query_dict(
            "INSERT INTO audit_head (chain_id, length, hash) VALUES ($1, 0, $2)"
            " ON CONFLICT (chain_id) DO UPDATE SET length = audit_head.length RETURNING length, hash",
            [chain_id, GENESIS],
        )
        number, previous = head["length"], head["hash"]
        for record in mine:
            number += 1
            record.number, record.previous = number, previous
            record.hash = previous = digest(record)
        await AuditRecord.bulk_create(mine, using_db=connection)
        await connection.execute_query(
            "UPDATE audit_head SET length = $2, hash = $3 WHERE chain_id = $1", [chain_id, number, previous]
        )
