"""Numbers without gaps: 1, 2, 3 … per owner, series and fiscal year."""

import uuid

from auth.fields import new_id
from auth.tenancy import rows


async def next_number(owner_id: uuid.UUID, series: str, fiscal_year: int) -> int:
    """Give the next number of a series; its row stays locked until the unit commits, and a rollback gives it back."""
    [given] = await rows(
        "INSERT INTO counter (id, owner_id, series, fiscal_year, last_given) VALUES ($1, $2, $3, $4, 1)"
        " ON CONFLICT (owner_id, series, fiscal_year)"
        " DO UPDATE SET last_given = counter.last_given + 1 RETURNING last_given",
        new_id(),
        owner_id,
        series,
        fiscal_year,
    )
    number: int = given["last_given"]
    return number
