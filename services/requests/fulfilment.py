"""Doing what was confirmed: the work order, its steps, progress, and delivery (annex ก 1.8)."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from auth.errors import Conflict, Invalid, NotPermitted
from auth.people.queries import Member, members_of
from auth.rules import GRANTS, Actor, Permission, Role
from auth.tenancy import one, scoped
from billing.months import bangkok_date
from services.automation import commands as automation
from services.capacity import commands as capacity
from services.requests.events import move, tell
from services.requests.models import Quote, ServiceRequest, WorkOrder, WorkStep
from services.requests.pricing import takes_effect
from services.requests.queries import asks_of, pool_deltas
from services.requests.rules import Action, Kind, State
from services.requests.steps import steps_of
from services.staff.queries import clearances, require_clearance
from services.staff.rules import Clearance
from services.subscriptions import commands as subscriptions

WORK_SHARED_BY = frozenset({Role.REVIEWER, Role.SECTION_HEAD})


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody of a provider who does work orders, and whether the staff register lets them be given one."""

    person_id: uuid.UUID
    name: str
    clearance: Clearance


async def order_work(request: ServiceRequest, quoted: Quote, *, now: dt.datetime) -> WorkOrder:
    """Give the work order of a request just confirmed, with the lead time quoted and the steps of its kind."""
    offering = await request.offering
    order = await WorkOrder.create(
        agency_id=request.agency_id,
        provider_id=request.provider_id,
        request_id=request.id,
        confirmed_at=now,
        lead_working_days=quoted.document["lead_working_days"],
    )
    await WorkStep.bulk_create(
        [
            WorkStep(
                agency_id=request.agency_id,
                provider_id=request.provider_id,
                work_order_id=order.id,
                position=position,
                name_th=name_th,
                name_en=name_en,
            )
            for position, (name_th, name_en) in enumerate(
                await steps_of(request.provider_id, request.offering_id, request.kind), 1
            )
        ]
    )
    await automation.dispatch(
        offering,
        "work_order.created",
        {
            "work_order": str(order.id),
            "request": request.number,
            "kind": request.kind.value,
            "offering": offering.code,
            "service": str(request.subscription_id) if request.subscription_id else None,
            "effective_on": request.effective_on.isoformat(),
            "quantities": {ask.component.code: format(ask.after, "f") for ask in await asks_of(request)},
        },
        agency_id=request.agency_id,
        request_id=request.id,
        now=now,
    )
    return order


async def start(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a confirmed request into work; who takes it is told to the agency.

    Refuses (NotAssignable) a person whose certificates, record check or NDA have lapsed (standard 9); a provider's own
    system is none.
    """
    request = await one(ServiceRequest, lock=True, id=request_id)
    await move(request, Action.START, by=by, now=now)
    if by.person_id is not None:
        await require_clearance(by.person_id, bangkok_date(now))
    order = await one(WorkOrder, lock=True, request_id=request_id)
    order.started_at = now
    order.assigned_to, order.assigned_to_name = by.person_id, by.name
    await order.save()
    return request


async def assign_work(request_id: uuid.UUID, person_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> WorkOrder:
    """Put a work order into a colleague's hands, before or while it is worked on; the timeline tells both sides.

    Refuses (NotPermitted) who is neither reviewer nor section head, (Invalid) a colleague who does no work orders,
    (NotAssignable) one whose certificates, record check or NDA have lapsed, and (Conflict) work that is delivered or
    not ordered yet.
    """
    if not by.may(Permission.WORK_DO) or not by.roles & WORK_SHARED_BY:
        raise NotPermitted("work is shared out by reviewers and section heads")
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.state not in {State.CONFIRMED, State.IN_PROGRESS}:
        raise Conflict("there is no work to share out")
    person = next((each for each in await _do_work(request.provider_id) if each.person_id == person_id), None)
    if person is None:
        raise Invalid({"person": "Choose somebody who does work orders."})
    await require_clearance(person_id, bangkok_date(now))
    order = await one(WorkOrder, lock=True, request_id=request_id)
    order.assigned_to, order.assigned_to_name = person_id, person.name
    await order.save(update_fields=["assigned_to", "assigned_to_name"])
    await tell(request, "work_assigned", by=by, now=now, person=person.name)
    return order


async def workers_of(provider_id: uuid.UUID, now: dt.datetime) -> list[Worker]:
    """Return the provider's people who do work orders, by name, with how they stand in the staff register."""
    people = await _do_work(provider_id)
    held = await clearances([each.person_id for each in people], bangkok_date(now))
    return [Worker(each.person_id, each.name, held[each.person_id]) for each in people]


async def _do_work(provider_id: uuid.UUID) -> list[Member]:
    return [
        member
        for member in await members_of(provider_id)
        if any(Permission.WORK_DO in GRANTS[role] for role in member.roles)
    ]


async def finish_step(request_id: uuid.UUID, position: int, *, note: str = "", by: Actor, now: dt.datetime) -> WorkStep:
    """Record one step as done, in order, and tell the agency how far the work is; the last one delivers."""
    request, order, steps = await _in_progress(request_id, by)
    step = _next_step(steps, position)
    step.done_at, step.done_by_name, step.note = now, by.name, note
    await step.save()
    percent = _percent(steps)
    await tell(
        request,
        "progress",
        by=by,
        now=now,
        note=note,
        percent=percent,
        step_th=step.name_th,
        step_en=step.name_en,
    )
    if percent == 100:
        await _deliver(request, order, by=by, now=now)
    return step


async def fail_step(request_id: uuid.UUID, position: int, *, note: str, by: Actor, now: dt.datetime) -> WorkStep:
    """Record that a step failed, and why; it is tried again, and the history keeps both."""
    if not note.strip():
        raise Invalid({"note": "Say why."})
    request, _, steps = await _in_progress(request_id, by)
    step = _next_step(steps, position)
    step.failures += 1
    await step.save(update_fields=["failures"])
    await tell(request, "step_failed", by=by, now=now, note=note, step_th=step.name_th, step_en=step.name_en)
    return step


async def note_progress(request_id: uuid.UUID, note: str, *, by: Actor, now: dt.datetime) -> None:
    """Tell the agency in words how the work goes, between steps."""
    if not note.strip():
        raise Invalid({"note": "Write something first."})
    request, _, steps = await _in_progress(request_id, by)
    await tell(request, "progress_note", by=by, now=now, note=note, percent=_percent(steps))


async def _in_progress(request_id: uuid.UUID, by: Actor) -> tuple[ServiceRequest, WorkOrder, list[WorkStep]]:
    if not by.may(Permission.WORK_DO):
        raise NotPermitted("work is done by the provider's staff")
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.state is not State.IN_PROGRESS:
        raise Conflict("this work is not in progress")
    order = await one(WorkOrder, lock=True, request_id=request_id)
    return request, order, await scoped(WorkStep).filter(work_order_id=order.id).order_by("position")


def _next_step(steps: Sequence[WorkStep], position: int) -> WorkStep:
    step = next((step for step in steps if step.done_at is None), None)
    if step is None or step.position != position:
        raise Conflict("steps are done one after the other, each once")
    return step


def _percent(steps: Sequence[WorkStep]) -> int:
    return 100 * len([step for step in steps if step.done_at]) // len(steps)


async def _deliver(request: ServiceRequest, order: WorkOrder, *, by: Actor, now: dt.datetime) -> None:
    """Put the confirmed quantities in force, settle the capacity, and complete the request.

    Work reopened after its delivery only completes: what was confirmed is in force already.
    """
    if order.delivered_at:
        await move(request, Action.COMPLETE, by=by, now=now)
        return
    order.delivered_at = now
    await order.save()
    asks = await asks_of(request)
    quantities = {ask.component.id: ask.after for ask in asks}
    at = takes_effect(request.kind, request.effective_on, now)
    if request.kind is Kind.NEW:
        opened = await subscriptions.open_subscription(
            request.agency_id,
            await request.offering,
            quantities,
            label=request.label,
            starts_at=at,
            origin=request.number,
            now=now,
        )
        request.subscription_id = opened.id
    elif request.subscription_id is None:
        raise Conflict("there is no service to change")
    elif request.kind is Kind.CANCEL:
        await subscriptions.announce_end(request.subscription_id, request.effective_on, at, now=now)
    else:
        await subscriptions.set_quantities(request.subscription_id, quantities, at, origin=request.number)
    await capacity.use(request.id)
    await capacity.give_back(
        request.id,
        request.agency_id,
        request.provider_id,
        {pool_id: -delta for pool_id, delta in pool_deltas(asks).items() if delta < 0},
        at,
        now=now,
    )
    await move(request, Action.COMPLETE, by=by, now=now, in_force_from=at)
