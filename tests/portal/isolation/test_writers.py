"""What several organisations share is written only by whom it is for, whatever the commands forget."""

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from auth.rules import system
from auth.tenancy import acting_as, rows
from services.capacity.models import Pool
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.stage import Stage, at

NOW = at("2026-12-08", "10:00")
REFUSED = (OperationalError, asyncpg.PostgresError)


async def _said(stage: Stage, who: str, sql: str, *values: object) -> int:
    """Say something in SQL as somebody; return how many rows it reached."""
    async with acting_as(stage.cast[who]):
        return len(await rows(f"{sql} RETURNING 1", *values))


async def test_an_agency_gives_back_what_was_held_for_it_and_nothing_else(stage: Stage) -> None:
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    await stage.review(request.id, accepted=NOW, quoted=NOW)
    pool = stage.component("GI", "bandwidth").pool_id
    lower = "UPDATE pool SET held = held - $2 WHERE id = $1"
    for sql, values in (
        ("UPDATE pool SET size = size + 1 WHERE id = $1", (pool,)),
        ("UPDATE pool SET in_use = in_use - 1 WHERE id = $1", (pool,)),
        ("UPDATE pool SET held = held + 1 WHERE id = $1", (pool,)),
        (lower, (pool, 300)),  # still held: nothing was let go yet
    ):
        with pytest.raises(REFUSED):
            await _said(stage, "official-a", sql, *values)
    assert await _said(stage, "official-b", lower, pool, 1) == 0  # nothing is held for it there
    with pytest.raises(REFUSED):
        await _said(
            stage,
            "official-a",
            "INSERT INTO pool (id, provider_id, code, name_th, name_en, unit_th, unit_en, size, in_use, held)"
            " VALUES (gen_random_uuid(), $1, 'x', 'x', 'x', 'x', 'x', 1, 0, 0)",
            stage.provider,
        )
    await stage.as_("approver-a", requests.decline, request.id, note="แพง", now=NOW)
    async with acting_as(system("test")):
        assert (await Pool.get(id=pool)).held == 0
    with pytest.raises(REFUSED):
        await _said(stage, "official-a", lower, pool, 301)


async def test_numbers_are_counted_by_whom_they_are_for_and_by_one(stage: Stage) -> None:
    await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    agency = stage.agency("a")
    count = "UPDATE counter SET last_given = last_given + $2 WHERE owner_id = $1 AND series = 'REQ'"
    insert = (
        "INSERT INTO counter (id, owner_id, series, fiscal_year, last_given)"
        " VALUES (gen_random_uuid(), $1, $2, 2570, $3)"
    )
    assert await _said(stage, "official-a", count, agency, 1) == 1
    assert await _said(stage, "official-b", count, agency, 1) == 0
    assert await _said(stage, "manager", count, agency, 1) == 0
    for who, sql, values in (
        ("official-a", count, (agency, 2)),
        ("official-a", count, (agency, -1)),
        ("official-a", insert, (agency, "NEW", 7)),
        ("official-a", insert, (stage.provider, "INV", 1)),
        ("manager", insert, (agency, "REQ", 1)),
    ):
        with pytest.raises(REFUSED):
            await _said(stage, who, sql, *values)
    assert await _said(stage, "manager", insert, agency, "ZZ", 1) == 1
    with pytest.raises(REFUSED):
        await _said(stage, "manager", insert, stage.cast["central"].seat.id, "ZZ", 1)  # type: ignore[union-attr]


async def test_only_a_providers_manager_writes_the_calendar(stage: Stage) -> None:
    insert = (
        "INSERT INTO holiday (day, name_th, name_en, is_special, changed_by, changed_at)"
        " VALUES ('2026-12-21', 'x', '', true, 'x', now())"
    )
    for who in ("official-a", "agency-admin-a", "reviewer", "technician", "central", "auditor"):
        with pytest.raises(REFUSED):
            await _said(stage, who, insert)
    assert await _said(stage, "manager", insert) == 1
