"""Calling the portal as a machine does."""

import datetime as dt
import json
from typing import Any

import httpx2
from starlette.applications import Starlette

from auth.clients.commands import create
from auth.clients.rules import Scope
from auth.tenancy import acting_as
from tests.browsing import Browser
from tests.cast import actor


class Machine(Browser):
    """A client with a token."""

    async def call(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Post a body as JSON; bytes go as they are."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.post(path, content=content, headers=given)


async def machine(app: Starlette, admin: str, *scopes: Scope, name: str = "ระบบพัสดุ") -> Machine:
    """Return a machine that an administrator has let in."""
    by = await actor(admin)
    async with acting_as(by):
        issued = await create(name, scopes, by=by, now=dt.datetime.now(dt.UTC))
    made = Machine(app)
    made.headers["authorization"] = f"Bearer {issued.token}"
    return made
