"""The pages people keep things up to date on, in a real browser, also as they answer a form: nothing is wrong."""

import datetime as dt
import uuid

import pytest
from playwright.async_api import Browser as Chromium

from auth.organisations.models import Coordinator, Purpose
from auth.rules import Permission, system
from auth.tenancy import acting_as
from services.notifications.commands import notify
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.browsing import Browser
from tests.portal.pages.shop import clock_stands
from tests.portal.pages.test_look import chromium, faults
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["chromium", "database", "stage", "stage_template"]

pytestmark = pytest.mark.browser
NOW = at("2026-12-08", "10:05")


class Answered:
    """A visitor whose next look at a path is the answer a form of theirs had."""

    def __init__(self, visitor: Browser, path: str, answer) -> None:
        self.visitor, self.path, self.answer = visitor, path, answer

    async def get(self, path: str):
        if path != self.path:
            return await self.visitor.get(path)
        self.answer.status_code = 200  # what is looked at is the page, not its status
        return self.answer


async def fill(stage: Stage) -> uuid.UUID:
    """Let there be something of everything; return a request that awaits confirmation."""
    await clock_stands(NOW)
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    await stage.review(request.id, accepted=NOW, quoted=NOW)
    async with acting_as(system("tests")):
        for purpose, organisation_id in (
            (Purpose.SECURITY, stage.agency("a")),
            (Purpose.AROUND_THE_CLOCK, stage.provider),
        ):
            await Coordinator.create(
                organisation_id=organisation_id,
                purpose=purpose,
                name="นางสาวปลอดภัย ดูแลระบบตลอดเวลา",
                position="นักวิชาการคอมพิวเตอร์ชำนาญการพิเศษ",
                phone="0 2000 1111 ต่อ 2233",
                email="a-rather-long-address.of-the-coordinator@department-of-examples.go.example",
                changed_at=NOW,
            )
        await notify(
            stage.agency("a"),
            "service.contract_ends",
            identity="c1",
            subject=("subscription", stage.services["a", "GI"].id),
            permission=Permission.SERVICES_READ,
            now=NOW,
            number="GI-A01-0001",
            label="สำนักงานใหญ่",
            ends_on=dt.date(2026, 12, 31),
        )
    return request.id


@pytest.mark.parametrize(("language", "width"), [("th", 390), ("en", 1280)])
async def test_pages_hold_together(stage: Stage, browser_for, chromium: Chromium, language: str, width: int) -> None:
    await fill(stage)
    gi, vcpu = stage.catalogue.offerings["GI"], stage.component("VM", "vcpu")
    pool = stage.component("GI", "bandwidth").pool_id
    looks: dict[str, list[str]] = {
        "agency-admin-a": ["/agency", "/agency/edit", "/agency/coordinators/new", "/news"],
        "approver-a": ["/delegations", "/contact"],
        "reviewer": ["/capacity", f"/capacity/{pool}", "/agencies", "/holidays"],
        "manager": [
            "/offerings",
            "/offerings/new",
            f"/offerings/{gi.id}",
            f"/offerings/{gi.id}/components/new",
            f"/offerings/{gi.id}/automation",
            f"/components/{vcpu.id}",
            "/holidays",
            "/holidays/2026-12-10/withdrawal",
        ],
    }
    found = {}
    for who, paths in looks.items():
        visitor: Browser = await browser_for(who)
        visitor.cookies.set("lang", language, domain="portal.test", path="/")
        for path in paths:
            if wrong := await faults(chromium, visitor, path, width):
                found[path] = wrong
    assert found == {}


async def test_answers_to_forms_hold_together(stage: Stage, browser_for, chromium: Chromium) -> None:
    await fill(stage)
    gi, bandwidth = stage.catalogue.offerings["GI"], stage.component("GI", "bandwidth")
    admin, approver, manager = [await browser_for(who) for who in ("agency-admin-a", "approver-a", "manager")]
    price = {"upto-1": "100", "price-1": "80", "upto-2": "", "price-2": "60", "effective_from": "15/12/2569"}
    forms = (
        (admin, "/agency", {"name_th": "", "tax_id": "1"}),
        (admin, "/agency/coordinators", {"purpose": "x"}),
        (approver, "/delegations", {"reason": ""}),
        (manager, f"/capacity/{bandwidth.pool_id}/size", {"size": str((bandwidth.pool.in_use) + 100)}),
        (manager, f"/capacity/{bandwidth.pool_id}/size", {"size": "1"}),
        (manager, "/holidays", {"day": "9/12/2569", "name_th": "วันหยุดพิเศษ"}),
        (manager, f"/components/{bandwidth.id}/prices", price | {"act": "preview"}),
        (manager, f"/components/{bandwidth.id}/prices", price | {"price-1": "x", "effective_from": ""}),
        (manager, f"/offerings/{gi.id}", {"name_th": ""}),
        (manager, f"/offerings/{gi.id}/automation", {"url": "https://orders.provider.example/hooks"}),
    )
    found = {}
    for visitor, path, fields in forms:
        answer = await visitor.submit(path, fields)
        if wrong := await faults(chromium, Answered(visitor, path, answer), path, 390):
            found[path] = wrong
    assert found == {}
