"""A process that issues one invoice: what is killed, with no chance to tidy up, by the test beside it."""

import asyncio
import sys
import uuid

from auth.rules import system
from auth.tenancy import unit_of_work
from billing.months import Month
from billing.statements.commands import issue
from portal import database


async def main(url: str, agency: str, provider: str, month: str) -> None:
    """Issue an agency's invoice for a month, as that month's end does."""
    by, when = system("month end"), Month.parse(month)
    await database.connect(url)
    try:
        await unit_of_work(by, lambda: issue(uuid.UUID(agency), uuid.UUID(provider), when, by=by, now=when.ends_at))
    finally:
        await database.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
