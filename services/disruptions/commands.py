"""Telling of a known fault: begun, news to all it touches, ended."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record, scoped
from services.disruptions.models import Disruption, DisruptionUpdate
from services.incidents.conversation import speak
from services.incidents.ending import resolve
from services.incidents.models import Incident
from services.incidents.rules import UNDONE, Action, State, may_act
from services.sections.queries import led_by


async def begin(
    title_th: str,
    *,
    title_en: str = "",
    text_th: str = "",
    text_en: str = "",
    began_at: dt.datetime | None = None,
    expected_end_at: dt.datetime | None = None,
    offering_id: uuid.UUID | None = None,
    section_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> Disruption:
    """Announce a known fault; everybody signed in sees it before they report, so it must name no agency."""
    provider_id = _desk(by)
    if not title_th.strip():
        raise Invalid({"title_th": "Say in a few words what is wrong."})
    made = await Disruption.create(
        provider_id=provider_id,
        offering_id=offering_id,
        section_id=section_id,
        title_th=title_th.strip(),
        title_en=title_en.strip(),
        text_th=text_th.strip(),
        text_en=text_en.strip(),
        began_at=began_at or now,
        expected_end_at=expected_end_at,
        made_by_name=by.name,
    )
    record("disruption.begun", at=now, subject=("disruption", made.id), title=made.title_th)
    return made


async def update(
    disruption_id: uuid.UUID,
    text: str,
    *,
    expected_end_at: dt.datetime | None = None,
    by: Actor,
    now: dt.datetime,
) -> list[Incident]:
    """Tell the news of a disruption once; every open incident that comes from it gets it as a message.

    Returns those incidents, so that their requesters can be told.
    """
    _desk(by)
    disruption = await one(Disruption, lock=True, id=disruption_id)
    if disruption.ended_at is not None:
        raise Conflict("this disruption is over")
    if expected_end_at:
        disruption.expected_end_at = expected_end_at
        await disruption.save(update_fields=["expected_end_at"])
    return await _tell_all(disruption, text, by=by, now=now)


async def end(
    disruption_id: uuid.UUID, text: str, *, resolves: bool = False, by: Actor, now: dt.datetime
) -> list[Incident]:
    """Say that a disruption is over, and tell all it touched; with `resolves`, resolve them too.

    Only those are resolved that the actor may resolve and that are being worked on; the rest stay open.
    """
    _desk(by)
    disruption = await one(Disruption, lock=True, id=disruption_id)
    if disruption.ended_at is not None:
        raise Conflict("this disruption is over")
    disruption.ended_at = now
    await disruption.save(update_fields=["ended_at"])
    told = await _tell_all(disruption, text, by=by, now=now)
    record("disruption.ended", at=now, subject=("disruption", disruption.id))
    if not resolves:
        return told
    leads = await led_by(by, now)
    left = {State.REPORTED, State.FORWARDED}
    return [
        await resolve(incident.id, resolution=text, by=by, now=now)
        if incident.row_code and incident.state not in left and may_act(by, Action.RESOLVE, incident.whose, leads)
        else incident
        for incident in told
    ]


async def _tell_all(disruption: Disruption, text: str, *, by: Actor, now: dt.datetime) -> list[Incident]:
    if not text.strip():
        raise Invalid({"text": "Write something."})
    await DisruptionUpdate.create(
        provider_id=disruption.provider_id, disruption_id=disruption.id, at=now, by_name=by.name, text=text.strip()
    )
    touched = scoped(Incident).filter(disruption_id=disruption.id, state__in=UNDONE)
    incidents = await touched.order_by("id").select_for_update()
    record("disruption.told", at=now, subject=("disruption", disruption.id), incidents=len(incidents))
    for incident in incidents:
        await speak(incident, text, by=by, now=now)
    return incidents


def _desk(by: Actor) -> uuid.UUID:
    if by.provider_id is None or not (by.may(Permission.INCIDENTS_LOG) or by.may(Permission.INCIDENTS_ASSIGN)):
        raise NotPermitted("disruptions are announced by the desk")
    return by.provider_id
