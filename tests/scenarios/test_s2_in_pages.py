"""S2 through the pages: the warning, the due times, the machine, the add-on's last day, January's bill, the ceiling."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette

from auth.clients.rules import Scope
from auth.rules import system
from auth.tenancy import acting_as, rows
from services.subscriptions.models import Subscription, SubscriptionState
from tests.browsing import Browser, said
from tests.portal.api.calling import machine
from tests.portal.pages.asking import answer, stand, stored
from tests.stage import Stage, at

BrowserFor = Callable[..., Awaitable[Browser]]
SPECIAL = {"day": "4 ม.ค. 2570", "name_th": "วันหยุดราชการเพิ่มเป็นกรณีพิเศษ", "special": "yes", "confirmed": "yes"}


async def test_each_lives_their_part(stage: Stage, browser_for: BrowserFor) -> None:  # noqa: PLR0915 - a story is told in one piece
    official, approver, finance = [await browser_for(who) for who in ("official-a", "approver-a", "finance-a")]
    reviewer, technician, manager = [await browser_for(who) for who in ("reviewer", "technician", "manager")]
    stranger = await browser_for("official-b")
    await _nothing_in_use(stage, "a")
    await stage.leave_free("VM", "vcpu", "6")

    # 1. Six vCPU are free: eight warn at once, cannot be sent, and nothing that was typed is lost; four can.
    await stand(at("2026-12-30", "13:40"), official)
    fields = {
        "kind": "new",
        "offering": str(stage.catalogue.offerings["VM"].id),
        "label": "ระบบงานใหม่",
        "effective_on": "6/1/2570",
        "justification": "ระบบใหม่ของสำนักงาน",
        **_amounts(stage, vcpu="8", ram="16", ssd="200", backup="200"),
    }
    warned = await official.get("/requests/preview", params=fields)
    assert "ขอ 8" in said(warned)
    assert "ขาดอีก 2 vCPU" in said(warned)
    assert 'aria-describedby="why-not"' in warned.text
    refused = await official.submit("/requests", fields | {"act": "submit"})
    assert refused.status_code == 422
    assert "ระบบใหม่ของสำนักงาน" in refused.text
    fields |= _amounts(stage, vcpu="4")
    preview = said(await official.get("/requests/preview", params=fields))
    for figure in ("5,017.60", "+5,368.83"):
        assert figure in preview, figure

    # 2. The answer is due by the calendar as it stands, which the manager changes twice.
    await stand(at("2026-12-30", "14:00"), official)
    sent = await official.submit("/requests", fields | {"act": "submit"})
    assert sent.status_code == 303, said(sent)
    path = sent.headers["location"]
    assert "4 ม.ค. 2570 14:00 น." in said(await official.get(path))
    assert (await manager.submit("/holidays", SPECIAL)).status_code == 303
    assert "5 ม.ค. 2570 14:00 น." in said(await official.get(path))
    assert (await manager.submit("/holidays/2027-01-04/withdrawal")).status_code == 303
    assert "4 ม.ค. 2570 14:00 น." in said(await official.get(path))

    # 3. Quoted on Monday, confirmed on Tuesday, due and delivered on Wednesday.
    await stand(at("2027-01-04", "09:00"), reviewer)
    sha256 = await answer(reviewer, path)
    quote = said(await approver.get(f"{path}/quote"))
    for figure in ("5,017.60", "+5,368.83"):
        assert figure in quote, figure
    await stand(at("2027-01-05", "09:00"), approver)
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    assert "6 ม.ค. 2570 09:00 น." in said(await technician.get("/work"))
    await _deliver(technician, path, "2027-01-06", "08:00")
    service = (await stored(path)).subscription_id
    assert "ระบบงานใหม่" in said(await official.get(f"/services/{service}"))
    assert (await stranger.get(f"/services/{service}")).status_code == 404

    # 4. The add-on alone is cancelled, with its last day; the machine goes on.
    await stand(at("2027-01-12", "09:00"), official)
    backup = f"q-{stage.component('VM', 'backup').id}"
    ending = {"kind": "cancel_addon", "service": str(service), backup: "0", "effective_on": "20/1/2570"}
    sent = await official.submit("/requests", ending | {"justification": "สำรองข้อมูลเองแล้ว", "act": "submit"})
    assert sent.status_code == 303, said(sent)
    cancelled = sent.headers["location"]
    await stand(at("2027-01-12", "11:00"), reviewer)
    sha256 = await answer(reviewer, cancelled)
    await stand(at("2027-01-13", "09:00"), approver)
    assert (await approver.submit(f"{cancelled}/confirmation", {"sha256": sha256})).status_code == 303
    await _deliver(technician, cancelled, "2027-01-14", "09:00")
    assert "20 ม.ค. 2570" in said(await official.get(cancelled))
    await stand(at("2027-01-25", "09:00"), finance)
    async with acting_as(system("test")):
        assert (await Subscription.get(id=service)).state is SubscriptionState.ACTIVE

    # 5. January: 616 hours of the machine, 26 days of storage, 15 days of backup.
    january = said(await finance.get("/costs/2027-01"))
    for figure in ("1,355.20", "1,971.20", "536.77", "174.19", "4,037.36", "282.62", "4,319.98", "40.37", "4,279.61"):
        assert figure in january, figure
    assert "616" in january
    assert (await stranger.get(path)).status_code == 404


async def test_a_price_above_its_ceiling_is_refused_by_page_and_by_api(
    stage: Stage, app: Starlette, browser_for: BrowserFor
) -> None:
    # 6. The database refuses it as well, whatever they say: test_s2_new_machine.
    manager = await browser_for("manager")
    await stand(at("2027-01-10"), manager)
    part = stage.component("VM", "vcpu").id
    typed = {"upto-1": "", "price-1": "0.71", "effective_from": "1/2/2570", "reason": "", "act": "set"}
    refused = await manager.submit(f"/components/{part}/prices", typed)
    assert refused.status_code == 422
    assert "เพดาน" in said(refused)
    assert "0.70" in said(refused) or "0.7 " in said(refused)
    seller = await machine(app, "admin", Scope.PRICES_WRITE, name="ระบบราคา")
    body = {"effective_from": "2027-02-01", "tiers": [{"upto": None, "price": "0.71"}]}
    answered = await seller.call(f"/api/v1/components/{part}/prices", body)
    assert (answered.status_code, answered.json()["refusal"]) == (422, "AboveCeiling")
    await seller.aclose()
    assert (await manager.submit(f"/components/{part}/prices", typed | {"price-1": "0.70"})).status_code == 303


def _amounts(stage: Stage, **amounts: str) -> dict[str, str]:
    return {f"q-{stage.component('VM', name).id}": amount for name, amount in amounts.items()}


async def _deliver(technician: Browser, path: str, day: str, time: str) -> None:
    await stand(at(day, time), technician)
    assert (await technician.submit(f"{path}/work")).status_code == 303
    step = 1
    while (await stored(path)).state == "in_progress":
        assert (await technician.submit(f"{path}/work/steps/{step}", {"act": "done"})).status_code == 303
        step += 1


async def _nothing_in_use(stage: Stage, letter: str) -> None:
    """Let an agency begin with nothing, so that its bill is the machine's alone."""
    async with acting_as(system("test")):
        await rows("UPDATE allocation SET ends_at = starts_at WHERE agency_id = $1 RETURNING 1", stage.agency(letter))
        await Subscription.filter(agency_id=stage.agency(letter)).update(state=SubscriptionState.ENDED)
