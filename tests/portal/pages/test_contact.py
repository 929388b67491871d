"""The channels of contact are there for everybody, at any hour (standard 7.4, seed B 4–5)."""

import datetime as dt

from auth.organisations.models import Coordinator, Purpose
from auth.rules import system
from auth.tenancy import acting_as
from tests import cast
from tests.browsing import Browser, said


async def test_a_stranger_sees_every_channel_and_the_hours(make_app) -> None:
    app = make_app(contact_phone="0 2111 2222", contact_email="help@desk.example", contact_line="@desk")
    provider = await cast.organisation("provider")
    async with acting_as(system("tests")):
        await Coordinator.create(
            organisation_id=provider.id,
            purpose=Purpose.AROUND_THE_CLOCK,
            name="ศูนย์เฝ้าระวัง",
            phone="0 2333 4444",
            changed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
    async with Browser(app) as stranger:
        answer = await stranger.get("/contact")
        landing = await stranger.get("/")
    words = said(answer)
    for channel in ("0 2111 2222", "help@desk.example", "@desk", "0 2333 4444", provider.phone, provider.email):
        assert channel in words
    assert "08:00 น. – 16:00 น." in words
    assert 'href="tel:021112222"' in answer.text
    assert 'href="/contact"' in landing.text
    assert "@desk" in said(landing)


async def test_an_agencys_coordinators_are_nobody_elses(browser_for) -> None:
    agency = await cast.organisation("agency-a")
    async with acting_as(system("tests")):
        await Coordinator.create(
            organisation_id=agency.id,
            purpose=Purpose.AROUND_THE_CLOCK,
            name="เวรของหน่วยงาน ก",
            phone="1",
            changed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
    stranger: Browser = await browser_for()
    assert "เวรของหน่วยงาน ก" not in said(await stranger.get("/contact"))
