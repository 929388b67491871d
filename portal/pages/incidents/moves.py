"""Every move of an incident as a form sends it; who may make it, and from where, is the domain's to say."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from auth.errors import Invalid, NotFound
from portal.files import given
from portal.i18n import Lazy, lazy
from portal.pages.incidents.entering import moment, prose, severity, whole
from portal.visit import Visit
from services.incidents import appointments, commands, conversation, ending

_MINUTE = dt.timedelta(minutes=1)
Doing = Callable[[Visit, UUID], Awaitable[object]]


async def _analyse(visit: Visit, id_: UUID) -> object:
    met, note = visit.form.get("condition_met") == "yes", prose(visit.form, "note")
    return await commands.first_analysis(id_, condition_met=met, note=note, by=visit.by, now=visit.now)


async def _meet(visit: Visit, id_: UUID) -> object:
    account = whole(visit.form, "account", 0) or None
    note = prose(visit.form, "note")
    return await commands.meet_condition(id_, account=account, note=note, by=visit.by, now=visit.now)


async def _classify(visit: Visit, id_: UUID) -> object:
    return await commands.reclassify(
        id_,
        code=visit.form.get("code") or None,
        items=whole(visit.form, "items", 0) or None,
        severity=severity(visit.form),
        emergency=visit.form.get("emergency") == "yes",
        note=prose(visit.form, "note"),
        by=visit.by,
        now=visit.now,
    )


async def _forward(visit: Visit, id_: UUID) -> object:
    code, note = visit.form.get("code") or None, prose(visit.form, "note")
    section = visit.form.uuid("section")
    return await commands.forward(id_, section, code=code, note=note, by=visit.by, now=visit.now)


async def _assign(visit: Visit, id_: UUID) -> object:
    person, note = visit.form.uuid("person"), prose(visit.form, "note")
    return await commands.assign(id_, person, note=note, by=visit.by, now=visit.now)


async def _take(visit: Visit, id_: UUID) -> object:
    return await commands.take(id_, by=visit.by, now=visit.now)


async def _wait(visit: Visit, id_: UUID) -> object:
    return await commands.wait_for_requester(id_, note=prose(visit.form, "note"), by=visit.by, now=visit.now)


async def _resume(visit: Visit, id_: UUID) -> object:
    return await commands.resume(id_, note=prose(visit.form, "note"), by=visit.by, now=visit.now)


async def _to_vendor(visit: Visit, id_: UUID) -> object:
    vendor, note = visit.form.get("vendor")[:200], prose(visit.form, "note")
    return await commands.send_to_vendor(id_, vendor=vendor, note=note, by=visit.by, now=visit.now)


async def _from_vendor(visit: Visit, id_: UUID) -> object:
    return await commands.return_from_vendor(id_, note=prose(visit.form, "note"), by=visit.by, now=visit.now)


async def _finish_account(visit: Visit, id_: UUID) -> object:
    return await commands.finish_account(id_, whole(visit.form, "account"), by=visit.by, now=visit.now)


async def _resolve(visit: Visit, id_: UUID) -> object:
    return await ending.resolve(id_, resolution=prose(visit.form, "resolution"), by=visit.by, now=visit.now)


async def _confirm(visit: Visit, id_: UUID) -> object:
    grade = whole(visit.form, "grade", 0) or None
    return await ending.confirm(id_, grade=grade, comment=prose(visit.form, "comment"), by=visit.by, now=visit.now)


async def _reopen(visit: Visit, id_: UUID) -> object:
    return await ending.reopen(id_, note=prose(visit.form, "note"), by=visit.by, now=visit.now)


async def _rate(visit: Visit, id_: UUID) -> object:
    comment = prose(visit.form, "comment")
    return await ending.rate(id_, whole(visit.form, "grade", 0), comment=comment, by=visit.by, now=visit.now)


async def _merge(visit: Visit, id_: UUID) -> object:
    into, note = visit.form.uuid("into"), prose(visit.form, "note")
    return await ending.merge(id_, into, note=note, by=visit.by, now=visit.now)


async def _link(visit: Visit, id_: UUID) -> object:
    disruption = visit.form.uuid("disruption") if visit.form.get("disruption") else None
    return await commands.link(id_, disruption, by=visit.by, now=visit.now)


async def _say(visit: Visit, id_: UUID) -> object:
    files = await given(visit.form)
    return await conversation.say(id_, prose(visit.form, "text"), files=files, by=visit.by, now=visit.now)


async def _note(visit: Visit, id_: UUID) -> object:
    files = await given(visit.form)
    return await conversation.note(id_, prose(visit.form, "text"), files=files, by=visit.by, now=visit.now)


async def _work(visit: Visit, id_: UUID) -> object:
    return await conversation.log_work(
        id_,
        prose(visit.form, "text"),
        minutes=whole(visit.form, "minutes", 0),
        parts=prose(visit.form, "parts"),
        vendor=visit.form.get("vendor")[:200],
        by=visit.by,
        now=visit.now,
    )


async def _propose(visit: Visit, id_: UUID) -> object:
    starts_at, length = moment(visit.form, "starts"), whole(visit.form, "minutes", 60)
    if starts_at is None:
        raise Invalid({"starts_day": "Give a day such as 16/12/2569."})
    if not 1 <= length <= 24 * 60:
        raise Invalid({"minutes": "Give the minutes of one day at most."})
    return await appointments.propose(
        id_,
        starts_at,
        starts_at + length * _MINUTE,
        place=visit.form.get("place")[:200],
        note=prose(visit.form, "note"),
        by=visit.by,
        now=visit.now,
    )


async def _accept(visit: Visit, id_: UUID) -> object:
    appointment = visit.form.uuid("appointment")
    if appointment not in {each.id for each in await appointments.appointments_of(id_)}:
        raise NotFound("Appointment")
    return await appointments.accept(appointment, by=visit.by, now=visit.now)


MOVES: Final[dict[str, tuple[Doing, Lazy]]] = {
    "analysis": (_analyse, lazy("The first look was recorded.")),
    "condition": (_meet, lazy("The condition is met; the clock runs.")),
    "classification": (_classify, lazy("It stands under another row now; the clock kept all that ran.")),
    "forwarding": (_forward, lazy("It was sent on; the section was told why.")),
    "assignment": (_assign, lazy("It was assigned.")),
    "taking": (_take, lazy("You have taken up this work.")),
    "waiting": (_wait, lazy("The clock is paused until the requester answers.")),
    "resumption": (_resume, lazy("The work goes on; the clock runs again.")),
    "vendor": (_to_vendor, lazy("It is with the vendor; the clock stands still.")),
    "return": (_from_vendor, lazy("It is back from the vendor; the clock runs again.")),
    "account": (_finish_account, lazy("This account is done.")),
    "resolution": (_resolve, lazy("It is resolved; the requester is asked to confirm.")),
    "confirmation": (_confirm, lazy("Thank you. The incident is closed.")),
    "reopening": (_reopen, lazy("It is open again; the desk was told why.")),
    "grade": (_rate, lazy("Thank you for your answer.")),
    "merging": (_merge, lazy("It was merged into the other incident.")),
    "outage": (_link, lazy("The outage it comes from was recorded.")),
    "message": (_say, lazy("The message was sent.")),
    "note": (_note, lazy("The note was kept; the agency does not see it.")),
    "work": (_work, lazy("The work was recorded.")),
    "appointment": (_propose, lazy("The time was proposed; the other side accepts or moves it.")),
    "acceptance": (_accept, lazy("The appointment stands.")),
}
