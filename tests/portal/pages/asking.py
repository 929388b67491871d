"""Moving a request along its pages, as the people of scenario S1 would."""

import datetime as dt
import re
import uuid
from typing import Any

from auth.rules import system
from auth.tenancy import acting_as
from services.calendar.models import Holiday
from services.requests.models import ServiceRequest, WorkOrder
from tests.browsing import Browser, said
from tests.portal.pages.shop import Shop, at, clock_stands, opened_shop

ASKED_AT = at(2026, 12, 4, 15, 20)
ANSWERED_AT = at(2026, 12, 8, 10, 5)
DAYS_OFF = (dt.date(2026, 12, 7), dt.date(2026, 12, 10), dt.date(2026, 12, 31), dt.date(2027, 1, 1))
CONFIRMED_AT = at(2026, 12, 9, 9, 30)


async def before_s1(speed: str = "200") -> Shop:
    """Return the catalogue with agency ก.'s government internet as it is before scenario S1."""
    shop = await opened_shop(ASKED_AT)
    async with acting_as(system("tests")):
        await Holiday.bulk_create(
            [Holiday(day=day, name_th="วันหยุดราชการ", changed_by="tests", changed_at=ASKED_AT) for day in DAYS_OFF]
        )
    await shop.open("a", "GI", {"bandwidth": speed}, at(2026, 10, 1), label="สำนักงานใหญ่")
    return shop


def field(shop: Shop, code: str, component: str) -> str:
    """Return the name of a component's field."""
    return f"q-{shop.catalogue.components[code, component].id}"


def change(shop: Shop, speed: str = "500", **more: str) -> dict[str, str]:
    """Return the form of S1: the government internet to this speed from 16 December 2569."""
    return {
        "kind": "change",
        "service": str(shop.services["GI"].id),
        field(shop, "GI", "bandwidth"): speed,
        "effective_on": "16/12/2569",
        "justification": "รองรับระบบประชุมทางไกล",
        "act": "submit",
    } | more


async def ask(official: Browser, fields: dict[str, str]) -> str:
    """Send a request's form and return the path of the request."""
    answer = await official.submit("/requests", fields)
    assert answer.status_code == 303, said(answer)[:600]
    return str(answer.headers["location"])


async def check_all(reviewer: Browser, path: str) -> None:
    """Take a request under review and pass its three checks."""
    assert (await reviewer.submit(f"{path}/review")).status_code == 303
    for kind in ("request", "capacity", "cost"):
        assert (await reviewer.submit(f"{path}/checks/{kind}", {"outcome": "passed"})).status_code == 303


async def answer(reviewer: Browser, path: str, **fields: str) -> str:
    """Check a request, send its quote, and return the SHA-256 on the quote's page."""
    await check_all(reviewer, path)
    sent = await reviewer.submit(f"{path}/quote", {"act": "send", **fields})
    assert sent.status_code == 303, said(sent)[:600]
    return hash_on(await reviewer.get(f"{path}/quote"))


def hash_on(page: Any) -> str:
    """Return the SHA-256 that a quote's page shows."""
    found = re.search(r"[0-9a-f]{64}", page.text)
    assert found, said(page)[:600]
    return found[0]


async def stored(path: str) -> ServiceRequest:
    """Return the request of a path as it is stored."""
    async with acting_as(system("tests")):
        return await ServiceRequest.get(id=uuid.UUID(path.split("/")[2]))


async def work_orders() -> int:
    """Return how many work orders there are."""
    async with acting_as(system("tests")):
        return await WorkOrder.all().count()


async def stand(now: dt.datetime, browser: Browser) -> None:
    """Move business time, and let the application read it anew."""
    await clock_stands(now)
    browser.app.state.clock.forget()
