"""A browser for tests: keeps cookies, sends the form token, and speaks to the application without a network."""

import datetime as dt
import html
import re
import uuid
from typing import Any

import httpx2
from starlette.applications import Starlette

from auth.people.models import Person
from auth.rules import system
from auth.sessions.commands import begin
from auth.tenancy import acting_as
from portal import csrf
from portal.arrival import limits
from tests.cast import ISSUER

PUBLIC_URL = "https://portal.test"
SESSION = "__Host-session"


class Browser(httpx2.AsyncClient):
    """A client whose forms carry the session's token, as the portal's own pages do."""

    def __init__(self, app: Starlette, **options: Any) -> None:
        super().__init__(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
            base_url=PUBLIC_URL,
            headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"},
            **options,
        )
        self.app = app
        self.csrf_secret = ""
        self.organisation: uuid.UUID | None = None

    def token(self) -> str:
        """Return a token for one form of a page opened for the organisation acted for."""
        return csrf.token(csrf.bound(self.csrf_secret, self.organisation))

    async def submit(
        self, path: str, fields: dict[str, Any] | None = None, *, token: str | None = None, **options: Any
    ) -> httpx2.Response:
        """Send a form as a page of ours would, its token included; give `token` to send the same form twice."""
        data = {csrf.FIELD: self.token() if token is None else token, **(fields or {})}
        headers = {"origin": PUBLIC_URL, "sec-fetch-site": "same-origin", **options.pop("headers", {})}
        answer = await self.post(path, data=data, headers=headers, **options)
        if path == "/organisation" and fields and answer.headers.get("location") == "/":
            self.organisation = uuid.UUID(fields["organisation"])
        return answer

    async def follow(self, response: httpx2.Response) -> httpx2.Response:
        """Go where an answer leads."""
        assert response.status_code == 303, f"{response.status_code}: {said(response)[:400]}"
        return await self.get(response.headers["location"])


async def sign_in(browser: Browser, username: str, *, at: dt.datetime | None = None) -> None:
    """Give a browser a session of somebody of the cast, as the sign-in would."""
    now = at or dt.datetime.now(dt.UTC)
    async with acting_as(system("cast")):
        who = await Person.get(issuer=ISSUER, subject=username)
        session, token = await begin(
            who,
            id_token="",
            provider_session=f"sid-{username}",
            authenticated_at=now,
            user_agent="tests",
            now=now,
            limits=limits(browser.app.state.settings),
        )
    browser.csrf_secret, browser.organisation = session.csrf_secret, session.organisation_id
    browser.cookies.set(SESSION, token, domain="portal.test", path="/")


def said(response: httpx2.Response) -> str:
    """Return the text of a page, without its markup."""
    body = re.sub(r"(?s)<(head|script|style)\b.*?</\1>", " ", response.text)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).strip()
