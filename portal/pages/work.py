"""Work orders: the queue by what is due next, taking one up, and finishing its steps (annex ก 1.8)."""

from starlette.responses import Response

from portal.i18n import gettext as _
from portal.pages.requests import wording
from portal.pages.requests.page import attempt
from portal.visit import Visit
from services.calendar.queries import official
from services.requests import commands
from services.requests.listing import work_delivered, work_queue


async def show(visit: Visit) -> Response:
    """Show the work orders not delivered yet, what is due next first, and the ones delivered last."""
    calendar = await official()
    queue = await work_queue(calendar)
    return visit.render(
        "work/list.html",
        queue=queue,
        delivered=await work_delivered(calendar),
        left={row.request.id: wording.left(row.work.due_at, visit.now, calendar) for row in queue},
        late=len([row for row in queue if row.work.due_at < visit.now]),
        states=wording.STATES,
        kinds=wording.KINDS,
        name=lambda thing: wording.name(thing, visit.language),
    )


async def start(visit: Visit) -> Response:
    """Take a confirmed request into work."""
    doing = commands.start(visit.params["id"], by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The work was started; the agency was told."))


async def assign(visit: Visit) -> Response:
    """Put a work order into a colleague's hands."""
    doing = commands.assign_work(visit.params["id"], visit.form.uuid("person"), by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The work was assigned; the agency was told."))


async def step(visit: Visit) -> Response:
    """Finish the next step, tell how it goes, or record that it failed; the last step done delivers."""
    request_id, position = visit.params["id"], visit.params["position"]
    note, by, now = visit.form.get("note")[:4000], visit.by, visit.now
    match visit.form.get("act"):
        case "failed":
            doing = commands.fail_step(request_id, position, note=note, by=by, now=now)
            return await attempt(visit, doing, _("The failure was recorded; the step is still to be done."))
        case "note":
            telling = commands.note_progress(request_id, note, by=by, now=now)
            return await attempt(visit, telling, _("The agency was told."))
        case _:
            done = commands.finish_step(request_id, position, note=note, by=by, now=now)
            return await attempt(visit, done, _("The step was recorded; the agency was told."))
