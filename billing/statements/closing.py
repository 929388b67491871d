"""Closing a month: the drafts, their review by the provider's finance, and issuing what was reviewed."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from auth.errors import Conflict, Invalid
from auth.rules import Actor
from auth.tenancy import record, rows, scoped
from billing.months import Month
from billing.statements.closing_rules import Difference, Policy, differences, digest
from billing.statements.commands import MonthNotOver, issue
from billing.statements.models import StatementReview
from billing.statements.policies import policy_of
from billing.statements.queries import Bill, bill_of, book_of, hold_month

SHORTEST_NOTE = 5
_MONTHS_LOOKED_BACK = 12
# `used` is counted; who has nothing but usage to settle is named, as that may come to nothing.
_WAITING = """
    WITH open AS (
        SELECT b.agency_id, b.provider_id, m.month, EXISTS (
            SELECT FROM allocation a JOIN price_item i ON i.id = a.price_item_id
            WHERE a.agency_id = b.agency_id AND a.provider_id = b.provider_id AND a.quantity > 0
            AND a.starts_at < m.ends_at AND (a.ends_at IS NULL OR a.ends_at > m.starts_at)
            AND (i.basis <> 'one_time' OR a.starts_at >= m.starts_at)
        ) OR EXISTS (
            SELECT FROM usage_day u
            WHERE u.agency_id = b.agency_id AND u.provider_id = b.provider_id AND u.total > 0
            AND u.day >= m.month AND u.day < m.month + interval '1 month'
        ) AS used, m.month = (
            SELECT (max(s.month) + interval '1 month')::date FROM late_usage l
            JOIN statement s ON s.agency_id = l.agency_id AND s.provider_id = l.provider_id
            WHERE l.agency_id = b.agency_id AND l.provider_id = b.provider_id AND l.statement_id IS NULL
        ) AS settles
        FROM (SELECT DISTINCT agency_id, provider_id FROM billed_service) b
        CROSS JOIN unnest($1::date[], $2::timestamptz[], $3::timestamptz[]) AS m(month, starts_at, ends_at)
        WHERE NOT EXISTS (
            SELECT FROM billing_policy p WHERE p.provider_id = b.provider_id AND NOT p.needs_review
        ) AND NOT EXISTS (
            SELECT FROM statement s
            WHERE s.agency_id = b.agency_id AND s.provider_id = b.provider_id AND s.month = m.month
        )
    )
    SELECT provider_id, month, count(*) FILTER (WHERE used) AS drafts,
        coalesce(array_agg(agency_id) FILTER (WHERE NOT used), '{}') AS settling
    FROM open WHERE used OR settles GROUP BY 1, 2 ORDER BY 1, 2
"""
# What waits to be settled is carried by the month after the last invoice, in use or not.
_UNSETTLED = """
    SELECT l.agency_id, l.provider_id, max(s.month) + interval '1 month' AS carried_in FROM (
        SELECT DISTINCT agency_id, provider_id FROM late_usage WHERE statement_id IS NULL
    ) l
    JOIN statement s ON s.agency_id = l.agency_id AND s.provider_id = l.provider_id
    WHERE EXISTS (SELECT FROM billing_policy p WHERE p.provider_id = l.provider_id AND NOT p.needs_review)
    GROUP BY 1, 2 HAVING max(s.month) + interval '1 month' < $1 ORDER BY 1, 2
"""


class NotReviewed(Conflict):
    """The draft was not reviewed, or has changed since it was."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A month's bill before it is issued (or as issued), how it differs from the month before, and its review."""

    bill: Bill
    differences: tuple[Difference, ...]
    policy: Policy
    review: StatementReview | None  # of this very draft
    digest: str
    before: Decimal  # last month's total

    @property
    def large(self) -> tuple[Difference, ...]:
        """The differences that need a note."""
        return tuple(each for each in self.differences if each.is_large(self.policy))

    @property
    def state(self) -> str:
        """Where it stands: "draft", "reviewed" or "issued"."""
        return "issued" if self.bill.number else "reviewed" if self.review else "draft"


async def draft_of(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> Draft | None:
    """Return a month's draft with its differences and its review; None where there is nothing to bill."""
    book = await book_of(agency_id, month.previous, month)
    bill = await bill_of(agency_id, provider_id, month) if (provider_id, month) in book.issued else None
    bill = bill or book.estimate(provider_id, month)
    if not bill.lines:
        return None
    last = await bill_of(agency_id, provider_id, month.previous) or book.estimate(provider_id, month.previous)
    said = digest(bill.lines, bill.vat_rate, bill.withholding_rate)
    review = (
        await scoped(StatementReview)
        .filter(agency_id=agency_id, provider_id=provider_id, month=month.first, draft=said)
        .order_by("-reviewed_at")
        .first()
    )
    return Draft(
        bill,
        tuple(differences(bill.lines, last.lines)),
        await policy_of(provider_id),
        review,
        said,
        last.totals.total,
    )


async def drafts_of(provider_id: uuid.UUID, month: Month) -> list[Draft]:
    """Return a provider's drafts and invoices of a month, one per agency that has any."""
    found = await rows("SELECT DISTINCT agency_id FROM billed_service WHERE provider_id = $1 ORDER BY 1", provider_id)
    drafts = [await draft_of(row["agency_id"], provider_id, month) for row in found]
    return [draft for draft in drafts if draft is not None]


async def review(
    agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month, *, draft: str, note: str, by: Actor, now: dt.datetime
) -> StatementReview:
    """Record that somebody looked at a draft; `draft` is the digest of what they saw.

    Refuses a month that is not over (MonthNotOver), a draft that has changed or is issued (NotReviewed), and large
    differences without a note (Invalid).
    """
    if now < month.ends_at:
        raise MonthNotOver(f"{month} is not over")
    await hold_month(agency_id, provider_id, month)
    seen = await draft_of(agency_id, provider_id, month)
    if seen is None or seen.bill.number or seen.digest != draft:
        raise NotReviewed("the draft has changed")
    if seen.review:
        return seen.review
    if seen.large and len(note) < SHORTEST_NOTE:
        raise Invalid({"note": "Explain the large differences to last month."})
    reviewed = await StatementReview.create(
        agency_id=agency_id,
        provider_id=provider_id,
        month=month.first,
        draft=draft,
        total=seen.bill.totals.total,
        note=note,
        reviewed_by=by.name,
        reviewed_at=now,
    )
    record(
        "statement.reviewed",
        at=now,
        subject=("statement_review", reviewed.id),
        agency_id=agency_id,
        month=str(month),
        total=reviewed.total,
        note=note,
    )
    return reviewed


async def issue_reviewed(
    agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month, *, by: Actor, now: dt.datetime
) -> Bill:
    """Issue what was reviewed; NotReviewed for a draft nobody looked at as it now is. Issued before, it stands."""
    if now < month.ends_at:
        raise MonthNotOver(f"{month} is not over")
    await hold_month(agency_id, provider_id, month)
    draft = await draft_of(agency_id, provider_id, month)
    if draft is None:
        raise NotReviewed("there is nothing to issue")
    if draft.bill.number:
        return draft.bill
    if draft.review is None:
        raise NotReviewed("nobody looked at this draft")
    return await issue(agency_id, provider_id, month, by=by, now=now, reviewed=draft.digest)


async def without_invoice(month: Month, *, only_automatic: bool = True) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return (agency, provider) of every pair without an invoice for a month.

    `only_automatic` leaves out providers whose invoices wait for a review: all that did not decide otherwise.
    """
    return [
        (row["agency_id"], row["provider_id"])
        for row in await rows(
            "SELECT DISTINCT b.agency_id, b.provider_id FROM billed_service b WHERE NOT EXISTS ("
            " SELECT FROM statement s WHERE s.agency_id = b.agency_id AND s.provider_id = b.provider_id"
            " AND s.month = $1) AND (NOT $2 OR EXISTS ("
            " SELECT FROM billing_policy p WHERE p.provider_id = b.provider_id AND NOT p.needs_review)) ORDER BY 1, 2",
            month.first,
            only_automatic,
        )
    ]


async def unsettled_before(month: Month) -> list[tuple[uuid.UUID, uuid.UUID, Month]]:
    """Return (agency, provider, month) where a month closed without an invoice is to settle what came since.

    So it is for an agency that has nothing in use any more; only of providers whose invoices wait for no review.
    """
    return [
        (row["agency_id"], row["provider_id"], Month.of(row["carried_in"].date()))
        for row in await rows(_UNSETTLED, month.first)
    ]


async def waiting_for_review(until: Month) -> dict[uuid.UUID, dict[Month, int]]:
    """Return how many drafts wait for a review, by provider and month: of the year up to a month, the oldest first.

    Of providers that review theirs; an agency with nothing in use or measured in a month has no draft of it, unless
    that month is to settle what came after the last invoice. What is charged once makes one of its first month only.
    """
    months = [until]
    while len(months) < _MONTHS_LOOKED_BACK:
        months.insert(0, months[0].previous)
    spans = [m.first for m in months], [m.starts_at for m in months], [m.ends_at for m in months]
    found: dict[uuid.UUID, dict[Month, int]] = {}
    for row in await rows(_WAITING, *spans):
        provider_id, month, drafts = row["provider_id"], Month.of(row["month"]), row["drafts"]
        for agency_id in row["settling"]:
            drafts += await draft_of(agency_id, provider_id, month) is not None
        if drafts:
            found.setdefault(provider_id, {})[month] = drafts
    return found
