"""Moving an incident along its pages, as the people of scenarios S3 and S4 would."""

import datetime as dt
import uuid

import httpx2

from auth.rules import system
from auth.tenancy import acting_as
from services.incidents.models import Incident
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand


async def call(helpdesk: Browser, code: str, contacted: str, **more: str) -> str:
    """Have the help-desk log a call of agency ก.'s official; return the incident's path."""
    day, time = contacted.split()
    found = await helpdesk.get("/desk/callers", params={"who": "4567"})
    fields = {
        "name": "เจ้าหน้าที่ผู้ใช้บริการ หน่วยงาน ก.",
        "channel": "phone",
        "contacted_day": day,
        "contacted_time": time,
        "phone": "0 2123 4567",
        "title": "เชื่อมต่อเครือข่ายไม่ได้",
        "code": code,
        "act": "log",
    } | more
    assert found.status_code == 200
    answer = await helpdesk.submit("/desk/call", fields)
    assert answer.status_code == 303, said(answer)[:600]
    return str(answer.headers["location"])


async def report(official: Browser, **fields: str) -> str:
    """Report an incident in the portal; return its path."""
    answer = await official.submit("/incidents", {"title": "เครื่องพิมพ์ไม่ทำงาน", "act": "send"} | fields)
    assert answer.status_code == 303, said(answer)[:600]
    return str(answer.headers["location"])


async def move(browser: Browser, path: str, name: str, now: dt.datetime | None = None, **fields: str) -> None:
    """Make one move, at a moment where one is given; it must be taken."""
    answer = await attempt(browser, path, name, now, **fields)
    assert answer.status_code == 303, f"{answer.status_code}: {said(answer)[:600]}"


async def attempt(
    browser: Browser, path: str, name: str, now: dt.datetime | None = None, **fields: str
) -> httpx2.Response:
    """Make one move and return the answer."""
    if now is not None:
        await stand(now, browser)
    return await browser.submit(f"{path}/{name}", fields)


async def stored(path: str) -> Incident:
    """Return the incident of a path as it is stored."""
    async with acting_as(system("tests")):
        return await Incident.get(id=uuid.UUID(path.split("/")[2]))
