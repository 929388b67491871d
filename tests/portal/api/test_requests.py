import datetime as dt
from typing import Any

import pytest
from starlette.applications import Starlette

from auth.audit.models import AuditRecord
from auth.clients.rules import Scope
from auth.rules import system
from auth.tenancy import acting_as
from services.capacity.models import Pool
from services.catalogue.commands import set_offered, set_terms
from services.catalogue.rules import Family
from services.oversight.commands import revoke
from services.requests.models import RequestEvent, ServiceRequest
from tests.cast import actor
from tests.portal.api.calling import Machine, machine
from tests.portal.pages.asking import ASKED_AT, answer, before_s1
from tests.portal.pages.shop import Shop

READ, WRITE = Scope.REQUESTS_READ, Scope.REQUESTS_WRITE


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


@pytest.fixture
async def ours(app: Starlette, shop: Shop) -> Machine:
    return await machine(app, "agency-admin-a", READ, WRITE)


def wish(shop: Shop, speed: str = "500", **given: Any) -> dict[str, Any]:
    return {
        "kind": "change",
        "service": shop.services["GI"].number,
        "quantities": {"bandwidth": speed},
        "effective_on": "2026-12-16",
        "justification": "รองรับระบบประชุมทางไกล",
    } | given


async def drafted(ours: Machine, shop: Shop) -> str:
    made = await ours.call("/api/v1/requests", wish(shop))
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


async def many() -> int:
    async with acting_as(system("test")):
        return await ServiceRequest.all().count()


async def test_a_system_asks_what_an_official_would_and_people_decide(
    ours: Machine, shop: Shop, browser_for: Any
) -> None:
    path = await drafted(ours, shop)
    sent = await ours.call(f"{path}/submit")
    assert (sent.status_code, sent.json()["state"]) == (200, "submitted"), sent.text
    assert sent.json()["review_due_at"] == "2026-12-08T15:20:00+07:00"
    page = path.removeprefix("/api/v1")
    await answer(await browser_for("reviewer"), page)
    shown = (await ours.get(path)).json()
    assert (shown["state"], shown["asked_by"]) == ("awaiting_confirmation", "ระบบพัสดุ")
    assert shown["quote"]["document"]["monthly"]["difference"] == "19500.00"
    [item] = shown["items"]
    assert (item["component"], item["before"], item["asked"], item["confirmed"]) == ("bandwidth", "200", "500", "500")
    assert [event["what"] for event in shown["timeline"]][:2] == ["drafted", "submit"]
    listed = (await ours.get("/api/v1/requests?state=awaiting_confirmation")).json()
    assert [each["number"] for each in listed["requests"]] == [shown["number"]]
    assert (await ours.get("/api/v1/requests?state=submitted")).json()["total"] == 0
    # The machine is not the approver, so the approver may confirm what it asked for.
    confirmed = await (await browser_for("approver-a")).submit(
        f"{page}/confirmation", {"sha256": shown["quote"]["sha256"]}
    )
    assert confirmed.status_code == 303, confirmed.text
    assert (await ours.call(f"{path}/withdraw", {"note": "x"})).status_code == 409


async def test_confirming_is_not_in_the_api(ours: Machine, shop: Shop, app: Starlette) -> None:
    path = await drafted(ours, shop)
    for verb in ("confirmation", "confirm", "refusal"):
        assert (await ours.call(f"{path}/{verb}")).status_code == 404
    asked = await ours.call(path.removeprefix("/api/v1") + "/confirmation")
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/sign-in")


async def test_over_capacity_warns_at_once_and_is_refused_on_submission(ours: Machine, shop: Shop) -> None:
    async with acting_as(system("test")):
        [pool] = [each for each in await Pool.all() if "bandwidth" in each.code or each.unit_en == "Mbps"][:1]
        await Pool.filter(id=pool.id).update(size=pool.size - pool.free + 100)
    made = await ours.call("/api/v1/requests", wish(shop))
    assert made.status_code == 201, made.text
    assert [each["short_by"] for each in made.json()["shortfalls"]] == ["200"]
    refused = await ours.call(f"{made.headers['location']}/submit")
    problem = refused.json()
    assert (refused.status_code, problem["refusal"], problem["status"]) == (422, "OverCapacity", 422)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (problem["shortfalls"][0]["asked"], problem["shortfalls"][0]["available"]) == ("300", "100")
    assert (await ours.get(made.headers["location"])).json()["state"] == "draft"


async def test_a_provider_not_listed_is_refused(ours: Machine, shop: Shop) -> None:
    path, central = await drafted(ours, shop), await actor("central")
    async with acting_as(system("test")):
        await revoke(shop.provider.id, Family.GOVERNMENT_INTERNET, "ตรวจไม่ผ่าน", by=central, now=ASKED_AT)
    refused = await ours.call(f"{path}/submit")
    assert (refused.status_code, refused.json()["refusal"]) == (422, "ProviderNotListed")


async def test_a_second_open_request_is_refused_with_the_number_of_the_first(ours: Machine, shop: Shop) -> None:
    first, second = await drafted(ours, shop), await drafted(ours, shop)
    number = (await ours.call(f"{first}/submit")).json()["number"]
    refused = await ours.call(f"{second}/submit")
    assert (refused.status_code, refused.json()["refusal"]) == (409, "OpenRequestExists")
    assert refused.json()["number"] == number
    assert (await ours.call(f"{first}/withdraw")).json()["state"] == "withdrawn"
    assert (await ours.call(f"{second}/submit")).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"quantities": {"bandwidth": "0.5"}}, "quantities.bandwidth"),
        ({"quantities": {"bandwidth": "-1"}}, "quantities.bandwidth"),
        ({"quantities": {"bandwidth": "1e3"}}, "quantities.bandwidth"),
        ({"quantities": {"bandwidth": 500}}, "quantities[...]"),
        ({"quantities": {"vcpu": "1"}}, "quantities.vcpu"),
        ({"effective_on": "16/12/2569"}, "effective_on"),
        ({"effective_on": "2569-12-16"}, "effective_on"),
        ({"kind": "double"}, "kind"),
        ({"kind": "new"}, "offering"),
        ({"service": ""}, "service"),
        ({"justification": "x" * 4001}, "justification"),
        ({"agency_id": "a"}, "agency_id"),
        ({"state": "confirmed"}, "state"),
    ],
)
async def test_what_cannot_be_asked_is_said_by_field(ours: Machine, shop: Shop, given: Any, field: str) -> None:
    refused = await ours.call("/api/v1/requests", wish(shop, **given))
    assert (refused.status_code, refused.json()["refusal"]) == (422, "Invalid")
    assert set(refused.json()["fields"]) == {field}
    assert await many() == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"kind": "change", "kind": "cancel"}', {}, 400),
        (b"{", {}, 400),
        (b'{"justification": "\\u0000"}', {}, 400),
        (b'{"justification": "\\ud800"}', {}, 400),
        (b'{"quantities": NaN}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"{}", {"content_type": "text/plain"}, 415),
        (b"[]", {}, 422),
        (b" " * (1024 * 1024 + 1), {}, 413),
    ],
)
async def test_a_body_that_can_be_misread_is_refused(
    ours: Machine, body: bytes, headers: dict[str, str], status: int
) -> None:
    refused = await ours.call("/api/v1/requests", body, **headers)
    assert (refused.status_code, refused.json()["status"]) == (status, status)


async def test_the_sentence_is_thai_unless_english_is_liked_better(ours: Machine, shop: Shop) -> None:
    async def told(likes: str) -> tuple[str, str]:
        refused = await ours.call("/api/v1/requests", wish(shop, "-1"), accept_language=likes)
        return refused.headers["content-language"], refused.json()["fields"]["quantities.bandwidth"]

    assert await told("en-GB,en;q=0.9,th;q=0.5") == ("en", "Enter a number.")
    for likes in ("", "de", "th, en;q=0.8", "en;q=x"):
        language, sentence = await told(likes)
        assert (language, sentence == "Enter a number.") == ("th", False)


async def test_another_agencys_request_is_404_and_leaves_a_record(app: Starlette, ours: Machine, shop: Shop) -> None:
    path = await drafted(ours, shop)
    theirs = await machine(app, "agency-admin-b", READ, WRITE, name="ระบบของ ข.")
    for answered in (
        await theirs.get(path),
        await theirs.call(f"{path}/submit"),
        await theirs.call(f"{path}/withdraw"),
        await theirs.call("/api/v1/requests", wish(shop)),
    ):
        assert (answered.status_code, answered.json()["refusal"]) == (404, "NotFound")
        assert "ประชุมทางไกล" not in answered.text
    assert (await theirs.get("/api/v1/requests")).json()["total"] == 0
    async with acting_as(system("test")):
        denials = await AuditRecord.filter(action="access.denied").order_by("number")
        events = await RequestEvent.all().count()
    assert [(each.actor, each.subject_id) for each in denials] == [
        ("ระบบของ ข.", f"api.{name}") for name in ("request", "request.submit", "request.withdraw", "requests.draft")
    ]
    assert denials[0].detail["ids"] == {"id": path.rsplit("/", 1)[1]}
    assert (events, await many()) == (1, 1)


async def test_a_provider_reads_what_was_submitted_to_it_and_writes_nothing(
    app: Starlette, ours: Machine, shop: Shop
) -> None:
    path = await drafted(ours, shop)
    provider = await machine(app, "admin", READ)
    assert (await provider.get(path)).status_code == 404
    await ours.call(f"{path}/submit")
    shown = (await provider.get(path)).json()
    assert (shown["state"], shown["agency"]) == ("submitted", "agency-a")
    refused = await provider.call(f"{path}/withdraw")
    assert (refused.status_code, refused.json()["scope"]) == (403, "requests:write")


async def test_reading_alone_does_not_write(app: Starlette, shop: Shop) -> None:
    reader = await machine(app, "agency-admin-a", READ)
    assert (await reader.call("/api/v1/requests", wish(shop))).status_code == 403
    writer = await machine(app, "agency-admin-a", WRITE)
    assert (await writer.get("/api/v1/requests")).status_code == 403
    assert await many() == 0


async def test_the_same_key_has_one_effect_and_one_answer(app: Starlette, ours: Machine, shop: Shop) -> None:
    key = {"idempotency_key": "po-4711"}
    first = await ours.call("/api/v1/requests", wish(shop), **key)
    again = await ours.call("/api/v1/requests", dict(reversed(wish(shop).items())), **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    assert await many() == 1
    other = await ours.call("/api/v1/requests", wish(shop, "300"), **key)
    assert (other.status_code, await many()) == (409, 1)
    elsewhere = await ours.call(f"{first.headers['location']}/submit", **key)
    assert elsewhere.status_code == 409
    colleague = await machine(app, "agency-admin-a", WRITE, name="อีกระบบ")
    assert (await colleague.call("/api/v1/requests", wish(shop), **key)).json()["id"] != first.json()["id"]


async def test_a_refused_call_may_come_again_corrected_under_its_key(ours: Machine, shop: Shop) -> None:
    key = {"idempotency_key": "po-4712"}
    assert (await ours.call("/api/v1/requests", wish(shop, "0.5"), **key)).status_code == 422
    assert (await ours.call("/api/v1/requests", wish(shop), **key)).status_code == 201
    for bad in ("", "a b", "x" * 201):
        assert (await ours.call("/api/v1/requests", wish(shop), idempotency_key=bad)).status_code == 400
    assert await many() == 1


async def test_a_new_service_is_asked_for_by_its_offering(ours: Machine, shop: Shop) -> None:
    machines = shop.catalogue.offerings["VM"]
    body = wish(shop, kind="new", offering=str(machines.id), effective_on="2027-01-15", label="ระบบเงินเดือน")
    del body["service"]
    made = await ours.call("/api/v1/requests", body | {"quantities": {"vcpu": "4", "ram": "16", "ssd": "200"}})
    assert made.status_code == 201, made.text
    assert (made.json()["service"], made.json()["label"]) == (None, "ระบบเงินเดือน")
    assert {item["component"]: item["asked"] for item in made.json()["items"]} == {
        "vcpu": "4",
        "ram": "16",
        "ssd": "200",
    }
    gone = await ours.call("/api/v1/requests", body | {"offering": str(shop.services["GI"].id)})
    assert gone.status_code == 404


async def test_what_is_closed_or_not_offered_for_the_day_is_said_by_field(ours: Machine, shop: Shop) -> None:
    manager, gi, vm = await actor("manager"), shop.catalogue.offerings["GI"], shop.catalogue.offerings["VM"]
    new = wish(shop, kind="new", offering=str(gi.id), label="สาขา")
    del new["service"]
    made = await ours.call("/api/v1/requests", new)
    rest = {"vcpu": "4"}
    machines = await ours.call("/api/v1/requests", new | {"offering": str(vm.id), "quantities": rest | {"hdd": "100"}})
    assert (made.status_code, machines.status_code) == (201, 201), (made.text, machines.text)
    day = dt.date(2026, 12, 10)
    async with acting_as(manager):
        await set_terms(gi.id, {"is_open": False}, day, by=manager, now=ASKED_AT)
        await set_offered(shop.catalogue.components["VM", "hdd"].id, False, day, by=manager, now=ASKED_AT)
    closed = await ours.call("/api/v1/requests", new)
    assert (closed.status_code, set(closed.json()["fields"])) == (422, {"effective_on"})
    gone = await ours.call("/api/v1/requests", new | {"offering": str(vm.id), "quantities": rest | {"hdd": "100"}})
    assert (gone.status_code, set(gone.json()["fields"])) == (422, {"quantities.hdd"})
    for drafted_before, field in ((made, "effective_on"), (machines, "quantities.hdd")):
        sent = await ours.call(f"{drafted_before.headers['location']}/submit")
        assert (sent.status_code, set(sent.json()["fields"])) == (422, {field})
