"""S1 through the pages: each person sees what concerns them, and every figure is where it is looked for."""

from collections.abc import Awaitable, Callable

from billing.months import Month
from tests.browsing import Browser, said
from tests.portal.pages.asking import answer, stand
from tests.stage import Stage, at, close_months


async def test_each_lives_their_part(stage: Stage, browser_for: Callable[..., Awaitable[Browser]]) -> None:
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    official, approver, finance = [await browser_for(who) for who in ("official-a", "approver-a", "finance-a")]
    reviewer, technician = await browser_for("reviewer"), await browser_for("technician")
    stranger, auditor = await browser_for("official-b"), await browser_for("auditor")
    internet = stage.services["a", "GI"]

    # 1. U finds the way from the service and from the menu, sees what it would come to, and submits.
    await stand(at("2026-12-04", "15:20"), official)
    shown = await official.get(f"/services/{internet.id}")
    assert f"/requests/new?service={internet.id}" in shown.text.replace("&amp;", "&")
    fields = {
        "kind": "change",
        "service": str(internet.id),
        f"q-{stage.component('GI', 'bandwidth').id}": "500",
        "effective_on": "16/12/2569",
        "justification": "รองรับการประชุมทางไกลของสำนักงานใหญ่",
    }
    preview = said(await official.get("/requests/preview", params=fields))
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "+20,865.00", "884,676.00", "1,083,230.03", "83,230.03"):
        assert figure in preview, figure
    sent = await official.submit("/requests", fields | {"act": "submit"})
    assert sent.status_code == 303, said(sent)
    path = sent.headers["location"]
    assert "8 ธ.ค. 2569 15:20 น." in said(await official.get(path))
    assert (await stranger.get(path)).status_code == 404

    # 2. P answers on Tuesday; the three checks stand on the request.
    await stand(at("2026-12-08", "10:05"), reviewer)
    assert path.split("/")[-1] in (await reviewer.get("/requests")).text
    sha256 = await answer(reviewer, path)
    quote = said(await approver.get(f"{path}/quote"))
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "+20,865.00", "25,064.51", "1,083,230.03", "83,230.03"):
        assert figure in quote, figure
    # The agency's budget is no business of the provider's.
    assert "83,230.03" not in said(await reviewer.get(f"{path}/quote"))

    # 3. Nothing can be worked on before A confirms.
    assert (await technician.submit(f"{path}/work")).status_code == 409
    await stand(at("2026-12-09", "09:30"), approver)
    assert (await official.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 403
    assert (await auditor.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 403
    assert (await stranger.submit(f"{path}/confirmation", {"sha256": sha256})).status_code in {403, 404}
    assert (await approver.submit(f"{path}/confirmation", {"sha256": "0" * 64})).status_code == 409
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    assert "11 ธ.ค. 2569 09:30 น." in said(await technician.get("/work"))

    # 4. The work is done step by step, the agency watching; December then costs 25,064.51 for the line.
    await stand(at("2026-12-11", "09:00"), technician)
    assert (await technician.submit(f"{path}/work")).status_code == 303
    for step in range(1, 5):
        assert f"{25 * (step - 1)}" in said(await official.get(path))
        done = await technician.submit(f"{path}/work/steps/{step}", {"act": "done"})
        assert done.status_code == 303, said(done)
    assert "ดำเนินการแล้วเสร็จ" in said(await official.get(path))
    await stand(at("2026-12-20", "09:00"), finance)
    december = said(await finance.get("/costs/2026-12"))
    for figure in ("7,258.06", "17,806.45", "25,064.51", "15/31", "16/31"):
        assert figure in december.replace(" / ", "/"), figure
    assert "1,083,230.03" in said(await finance.get("/costs"))
    assert (await stranger.get(path)).status_code == 404
