import pytest

from auth.errors import Conflict, Invalid, NotPermitted
from services.disruptions.commands import begin, end, update
from services.disruptions.queries import disruption, known_now
from services.incidents.commands import first_analysis, link
from services.incidents.intake import Wish, report
from services.incidents.queries import whole
from services.incidents.rules import State
from tests.services.incidents.desk import at, staffed

NOW = at(2026, 12, 8, 9)


async def test_one_update_reaches_every_incident_it_touches(database: str) -> None:
    desk = await staffed()
    made = await desk.do(desk.helpdesk, begin("เครือข่ายหลักขัดข้อง", by=desk.helpdesk, now=NOW))
    for who in (desk.official, desk.stranger):  # shown before anybody reports
        [known] = await desk.do(who, known_now(NOW))
        assert known.id == made.id
    linked = await desk.call("3.2a", NOW)
    await desk.do(desk.helpdesk, first_analysis(linked.id, by=desk.helpdesk, now=NOW))
    await desk.do(desk.helpdesk, link(linked.id, made.id, by=desk.helpdesk, now=NOW))
    wish = Wish("อินเทอร์เน็ตใช้ไม่ได้", code="3.2a", disruption_id=made.id)
    theirs = await desk.do(desk.stranger, report(wish, provider_id=made.provider_id, by=desk.stranger, now=NOW))
    apart = await desk.call("1.2a", NOW)

    told = await desk.do(desk.helpdesk, update(made.id, "กำลังเปลี่ยนอุปกรณ์", by=desk.helpdesk, now=NOW))
    assert {each.id for each in told} == {linked.id, theirs.id}
    for who, incident, expected in ((desk.official, linked, 1), (desk.stranger, theirs, 1), (desk.official, apart, 0)):
        seen = await desk.do(who, whole(incident.id, by=who, now=NOW))
        assert [message.text for message in seen.messages] == ["กำลังเปลี่ยนอุปกรณ์"] * expected
    with pytest.raises(NotPermitted):
        await desk.do(desk.official, update(made.id, "x", by=desk.official, now=NOW))
    with pytest.raises(Invalid):
        await desk.do(desk.helpdesk, update(made.id, " ", by=desk.helpdesk, now=NOW))

    done = await desk.do(desk.helpdesk, end(made.id, "ใช้งานได้แล้ว", resolves=True, by=desk.helpdesk, now=NOW))
    assert {each.id: each.state for each in done} == {linked.id: State.RESOLVED, theirs.id: State.REPORTED}
    assert await desk.do(desk.official, known_now(NOW)) == []
    with pytest.raises(Conflict):
        await desk.do(desk.helpdesk, update(made.id, "x", by=desk.helpdesk, now=NOW))
    _, news = await desk.do(desk.stranger, disruption(made.id))
    assert {each.text for each in news} == {"ใช้งานได้แล้ว", "กำลังเปลี่ยนอุปกรณ์"}
