"""A collector from its set-up on the page to the hours it stored, against Debian's real Prometheus."""

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from pydantic import SecretStr

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from billing.collectors.models import Collector
from billing.collectors.rules import Plan, faults_of, hours_due
from portal.collecting import collect_due
from portal.sealing import unseal
from tests.billing.metering.world import World, hours
from tests.browsing import Browser, said
from tests.portal.collectors.test_prometheus import (
    ENERGY,
    HOUR,
    PASSWORD,
    SERVICE,
    TRAFFIC,
    USER,
    closed_prometheus,
    prometheus,
    world,
)
from tests.portal.pages.shop import clock_stands

__all__ = ["closed_prometheus", "prometheus", "world"]

BrowserFor = Callable[..., Awaitable[Browser]]
FORM = {
    "name": "ห้องเครื่อง 1",
    "every_hours": "1",
    "since": "10/2/2569",
    "hour": "7",
    "meter-1": TRAFFIC.meter,
    "text-1": TRAFFIC.text,
    "meter-2": ENERGY.meter,
    "text-2": ENERGY.text,
    "label-2": "service",
}


async def collected(now: dt.datetime, browser: Browser) -> int:
    """Run what is due with the portal's own keys."""
    return await collect_due(now, browser.app.state.settings.secret_keys)


async def kept() -> Collector:
    async with acting_as(system("test")):
        return await Collector.get()


async def test_hours_missed_are_caught_up_one_by_one_and_the_page_tells(
    prometheus: str, world: World, browser_for: BrowserFor
) -> None:
    assert world.service.number == SERVICE
    now = HOUR + dt.timedelta(hours=3)  # two hours without values, the one with, and one more
    await clock_stands(now)
    technician = await browser_for("technician")
    page = await technician.follow(await technician.submit("/usage/collectors", FORM | {"address": prometheus}))
    assert "ยังไม่เคยทำงาน" in said(page)
    path = str(page.url.path)
    assert await collected(now, technician) == 1
    collector = await kept()
    assert (collector.last_stored, collector.last_failure) == (2, "")
    assert collector.collected_until == HOUR + dt.timedelta(hours=2)  # the last hour may still get samples
    assert sorted(each[1] for each in await hours(world.service.id)) == [Decimal("3.85"), Decimal("15.5")]
    assert await collected(now + dt.timedelta(minutes=4), technician) == 0
    assert await collected(now + dt.timedelta(minutes=5), technician) == 1
    assert "ทำงานปกติ" in said(await technician.get(path))
    # Pulled again from an address that changed, the hour counts once.
    moved = FORM | {"address": prometheus.replace("127.0.0.1", "localhost")}
    await technician.follow(await technician.submit(path, moved))
    await technician.follow(await technician.submit(f"{path}/run"))
    assert await collected(now, technician) == 1
    assert (await kept()).last_stored == 0
    assert len(await hours(world.service.id)) == 2


async def test_a_slow_server_leaves_others_their_turn(
    prometheus: str, world: World, browser_for: BrowserFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = HOUR + dt.timedelta(hours=3)
    await clock_stands(now)
    technician = await browser_for("technician")
    await technician.follow(await technician.submit("/usage/collectors", FORM | {"address": prometheus}))
    since = (await kept()).collected_until
    monkeypatch.setattr("portal.collecting.TURN", 0.0)
    for turn in (1, 2):  # an hour each, and due again at once
        assert await collected(now, technician) == 1
        assert (await kept()).collected_until == since + turn * dt.timedelta(hours=1)


async def test_an_hour_that_fails_is_told_tried_again_and_never_left_out(
    prometheus: str, world: World, browser_for: BrowserFor
) -> None:
    now = HOUR + dt.timedelta(hours=2)
    await clock_stands(now)
    technician = await browser_for("technician")
    path = ""
    # The server is away; then it answers with what cannot be read; then with a service nobody knows.
    for fault, words in (
        ({"address": "http://127.0.0.1:9"}, "ไม่ตอบ"),
        ({"address": prometheus, "text-2": "max_over_time(energy_kwh[1h])"}, "two values"),
        (
            {"address": prometheus, "text-2": 'label_replace(traffic_mbps, "service", "X-1", "service", ".*")'},
            "X-1 energy: subject names no service",
        ),
        (
            {"address": prometheus, "text-2": 'label_replace(traffic_mbps, "service", "X\\x00", "service", ".*")'},
            "must hold no control characters",
        ),
    ):
        given = FORM | fault
        where = path or "/usage/collectors"
        page = await technician.follow(await technician.submit(where, given))
        path = str(page.url.path)
        await technician.follow(await technician.submit(f"{path}/run"))
        assert await collected(now, technician) == 1
        assert words in said(await technician.get(path)), fault
        assert await hours(world.service.id) == []
        assert (await kept()).collected_until <= HOUR
    assert await collected(now + dt.timedelta(minutes=9), technician) == 0
    page = await technician.follow(await technician.submit(path, FORM | {"address": prometheus}))
    assert await collected(now, technician) == 1
    assert len(await hours(world.service.id)) == 2
    # Stopped, it stands where it is; run again, it goes on.
    stopped = await technician.follow(await technician.submit(f"{path}/stop"))
    assert "หยุดแล้ว" in said(stopped)
    assert await collected(now + dt.timedelta(days=1), technician) == 0
    await technician.follow(await technician.submit(f"{path}/run"))
    assert await collected(now + dt.timedelta(days=1), technician) == 1


async def test_a_server_that_asks_for_a_password_is_read_and_the_password_never_shown(
    closed_prometheus: str, world: World, browser_for: BrowserFor
) -> None:
    now = HOUR + dt.timedelta(hours=2)
    await clock_stands(now)
    technician = await browser_for("technician")
    given = FORM | {"address": closed_prometheus}
    page = await technician.follow(await technician.submit("/usage/collectors", given))
    path = str(page.url.path)
    assert await collected(now, technician) == 1
    assert "ปฏิเสธ" in said(await technician.get(path))
    assert (await kept()).last_detail in {"traffic: HTTP 401", "energy: HTTP 401"}
    basic = given | {"signs_in": "basic", "user_name": USER, "secret": PASSWORD}
    # Nothing is sent without a password; what is refused is typed again, but for the password.
    for wrong, words in (
        ({"secret": ""}, "กรุณาระบุรหัสผ่านหรือโทเคน"),
        ({"user_name": "a:b"}, "ไม่มีเครื่องหมายทวิภาค"),
        ({"signs_in": "bearer"}, "ส่งไม่ได้"),
    ):
        refused = await technician.submit(path, basic | wrong)
        assert refused.status_code == 422
        assert words in said(refused)
        assert PASSWORD not in refused.text
    page = await technician.follow(await technician.submit(path, basic))
    await technician.follow(await technician.submit(f"{path}/run"))
    assert await collected(now, technician) == 1
    assert len(await hours(world.service.id)) == 2
    sealed = (await kept()).sealed_secret
    assert unseal(sealed, technician.app.state.settings.secret_keys) == PASSWORD
    # Left empty it is kept, for the same server only; another kind asks for another secret.
    elsewhere = closed_prometheus.replace("127.0.0.1", "localhost")
    for moved in ({"address": elsewhere}, {"signs_in": "bearer"}):
        refused = await technician.submit(path, basic | moved | {"secret": ""})
        assert refused.status_code == 422, moved
    await technician.follow(await technician.submit(path, basic | {"secret": "", "name": "ห้องเครื่อง 2"}))
    assert (await kept()).sealed_secret == sealed
    await technician.follow(await technician.submit(path, basic | {"secret": "ผิด"}))
    await technician.follow(await technician.submit(f"{path}/run"))
    assert await collected(now, technician) == 1
    assert (await kept()).last_failure == "not_let_in"
    # Keys that are gone are told, not taken for the server's refusal.
    await technician.follow(await technician.submit(f"{path}/run"))
    assert await collect_due(now, (SecretStr("another key"),)) == 1
    page = await technician.get(path)
    assert "ไม่สามารถอ่านรหัสผ่านหรือโทเคน" in said(page)
    for text in (page.text, (await technician.get("/usage/collectors")).text):
        assert PASSWORD not in text
        assert (await kept()).sealed_secret not in text
    async with acting_as(system("test")):
        noted = [str(each.detail) for each in await AuditRecord.filter(action="collector.set")]
    assert noted
    assert all(PASSWORD not in each and sealed not in each for each in noted)
    # Not needed any more, it is gone.
    await technician.follow(await technician.submit(path, given | {"signs_in": "none"}))
    assert ((await kept()).sealed_secret, (await kept()).user_name) == ("", "")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"address": "http://10.1.2.3:9090"}, "https://"),
        ({"address": "https://portal:secret@prometheus.example.go.th"}, "ช่องของตนเอง"),
        ({"address": "https://prometheus.example.go.th", "text-1": ""}, "กรุณากรอกข้อมูลให้ครบถ้วน"),
        ({"address": "https://prometheus.example.go.th", "meter-2": "gas"}, "เลือก"),
        ({"address": "https://prometheus.example.go.th", "meter-2": "traffic"}, "รวมไว้ในคำสั่งเดียว"),
        ({"address": "https://prometheus.example.go.th", "label-2": "a b"}, "ขีดล่าง"),
        ({"address": "https://prometheus.example.go.th", "hour": "24"}, "0 ถึง 23"),
        ({"address": "https://prometheus.example.go.th", "since": "10/2/2580"}, "อนาคต"),
        ({"address": "https://prometheus.example.go.th", "every_hours": "5"}, "เลือก"),
    ],
)
async def test_what_is_no_collector_is_refused_and_nothing_typed_is_lost(
    world: World, browser_for: BrowserFor, given: dict[str, str], words: str
) -> None:
    await clock_stands(HOUR)
    answer = await (await browser_for("technician")).submit("/usage/collectors", FORM | given)
    assert answer.status_code == 422
    assert words in said(answer)
    assert FORM["name"] in answer.text
    async with acting_as(system("test")):
        assert await Collector.all().count() == 0


async def test_a_provider_sees_its_own_collectors_only(world: World, browser_for: BrowserFor) -> None:
    await clock_stands(HOUR)
    technician = await browser_for("technician")
    address = {"address": "https://prometheus.example.go.th"}
    await technician.follow(await technician.submit("/usage/collectors", FORM | address))
    taken = await technician.submit("/usage/collectors", FORM | address)
    assert "มีชื่อนี้อยู่แล้ว" in said(taken)
    for other in ("finance-a", "manager", "central"):
        assert (await (await browser_for(other)).get("/usage/collectors")).status_code == 403
    for who in ("finance-a", "central"):
        seen = await browser_for(who)
        assert "prometheus.example.go.th" not in (await seen.get("/usage/corrections")).text


def test_the_machines_own_addresses_are_for_demonstrations_only() -> None:
    queries = [{"meter": "energy", "text": "x", "label": "service"}]
    for address in (
        "http://127.0.0.1:9090",
        "https://localhost",
        "https://[::1]",
        "https://0x7f.1",
        "https://169.254.1.1",
    ):
        plan = Plan("x", address, queries, 1, HOUR)
        assert "address" in faults_of(plan, {"energy"}, to_this_machine=False), address
        assert faults_of(plan, {"energy"}, to_this_machine=True) == {}


def test_only_hours_that_are_over_are_due() -> None:
    assert hours_due(HOUR, HOUR + dt.timedelta(minutes=64), most=9) == []
    assert hours_due(HOUR, HOUR + dt.timedelta(minutes=65), most=9) == [HOUR]
    assert len(hours_due(HOUR, HOUR + dt.timedelta(days=9), most=48)) == 48
