"""Voiding and replacing events. The event stays as it came; what it counts for is said beside it, with who and why."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import Actor
from auth.tenancy import record, rows
from billing.metering.late import hold_open, mark_late
from billing.metering.models import UsageCorrection
from billing.metering.sums import mark_unsummed
from billing.metering.targets import addon_was_in_use
from billing.money import NotMoney, exact
from billing.months import Month, bangkok_date

_LONGEST_REASON = 500
_MOST = Decimal(10) ** 14
_EVENT = """
    SELECT e.agency_id, e.provider_id, e.service_id, e.component_id, e.id, e.starts_at, e.ends_at, e.quantity, c.number,
        c.quantity AS counts_for
    FROM usage_event e
    LEFT JOIN LATERAL (
        SELECT number, quantity FROM usage_correction c
        WHERE c.agency_id = e.agency_id AND c.event_id = e.id ORDER BY c.number DESC LIMIT 1
    ) c ON true
    WHERE e.agency_id = $1 AND e.service_id = $2 AND e.component_id = $3 AND e.starts_at = $4 AND e.id = $5
        AND e.provider_id = $6
"""
# Two corrections of one event take turns.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('usage event/' || $1::text, 0))"


async def void(event: dict[str, Any], reason: str, *, by: Actor, now: dt.datetime) -> UsageCorrection:
    """Let an event count for nothing; see `replace`."""
    return await _correct(event, None, reason, by=by, now=now)


async def replace(
    event: dict[str, Any], quantity: object, reason: str, *, by: Actor, now: dt.datetime
) -> UsageCorrection:
    """Let an event count for another quantity, given as a Decimal, an int or plain text.

    Before its month is invoiced this changes the estimate; afterwards the next invoice settles the difference.
    `event` names it by `agency_id`, `service_id`, `component_id`, `starts_at` and `id`. Refuses what is no
    quantity, a missing reason and usage of an add-on that was not in use then (Invalid), what changes nothing
    (Conflict), and another provider's event (NotFound).
    """
    try:
        number = exact(quantity)
    except NotMoney:
        raise Invalid({"quantity": "Give a number."}) from None
    places = number.as_tuple().exponent
    if not 0 <= number < _MOST or (isinstance(places, int) and places < -6):
        raise Invalid({"quantity": "Give a number."})
    return await _correct(event, number, reason, by=by, now=now)


async def _correct(
    event: dict[str, Any], quantity: Decimal | None, reason: str, *, by: Actor, now: dt.datetime
) -> UsageCorrection:
    if by.provider_id is None:
        raise NotPermitted("only the provider that measured corrects")
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": "Fill in this field."})
    if len(reason) > _LONGEST_REASON:
        raise Invalid({"reason": "This text is too long."})
    agency_id, starts_at = event["agency_id"], event["starts_at"]
    month = Month.of(starts_at)
    is_late = bool(await hold_open(by.provider_id, [(agency_id, month)]))
    key = agency_id, event["service_id"], event["component_id"]
    await rows(_ALONE, str(event["id"]))
    found = await rows(_EVENT, *key, starts_at, event["id"], by.provider_id)
    if not found:
        raise NotFound("usage event")
    before = found[0]["quantity"] if found[0]["number"] is None else found[0]["counts_for"]
    if before == quantity:
        raise Conflict("the event counts for that already")
    if quantity and not await addon_was_in_use(found[0]):
        raise Invalid({"quantity": "The add-on was not in use then; the event can only be voided."})
    if is_late:
        await mark_late(by.provider_id, [(*key, month)], now)
    correction = await UsageCorrection.create(
        agency_id=agency_id,
        provider_id=by.provider_id,
        service_id=event["service_id"],
        component_id=event["component_id"],
        event_id=event["id"],
        event_starts_at=starts_at,
        number=(found[0]["number"] or 0) + 1,
        quantity=quantity,
        reason=reason,
        is_late=is_late,
        made_at=now,
        made_by=by.name,
    )
    await mark_unsummed(agency_id, by.provider_id, bangkok_date(starts_at), correction.id)
    record(
        "usage.corrected",
        at=now,
        subject=("usage_event", uuid.UUID(str(event["id"]))),
        agency_id=agency_id,
        before=before,
        after=quantity,
        reason=reason,
    )
    return correction
