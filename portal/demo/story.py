"""The year of history: every request lived through its real commands, every month closed when it was over.

The acts are gathered with their moments and done in the order of time, each by whom it belongs to, so that
timelines, numbers, prices and the audit trail are those the portal would have written.
"""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from auth.rules import Actor, system
from auth.tenancy import acting_as
from billing.budgets.commands import set_budget
from billing.metering.commands import take
from billing.metering.storing import Origin
from billing.months import BANGKOK, Month, midnight
from billing.statements.closing_rules import Policy
from billing.statements.commands import issue
from billing.statements.policies import set_policy
from portal.demo.catalogue import Catalogue
from portal.demo.payments import INSTRUCTIONS, Part, parts_of, pay
from portal.demo.power import readings
from portal.demo.wishes import CONTRACTS, WISHES, Contract, Ending, Wish
from portal.duties import CLOSES_AFTER, MONTH_END
from services.calendar.rules import Calendar
from services.capacity import commands as capacity
from services.notifications.commands import mark_read
from services.requests import commands as requests
from services.requests import fulfilment
from services.requests.models import Quote, ServiceRequest
from services.requests.rules import CONFIRM_WITHIN_WORKING_DAYS, STEPS, CheckKind, Kind
from services.subscriptions.commands import end_due, open_subscription
from services.subscriptions.models import Subscription, SubscriptionState

FIRST_MONTH = Month(2025, 10)
LAST_MONTH = Month(2026, 11)
STORY_ENDS = dt.datetime(2026, 12, 4, 15, 0, tzinfo=BANGKOK)
_SIGNED_AT = midnight(dt.date(2025, 9, 22)) + dt.timedelta(hours=10)
_LAST_READ_AT = midnight(dt.date(2026, 12, 1)) + dt.timedelta(hours=16)
_BUDGETS = {
    "a": {2569: Decimal("780000.00"), 2570: Decimal("1000000.00")},
    "b": {2569: Decimal("720000.00"), 2570: Decimal("850000.00")},
}
_CHECKED = {
    CheckKind.REQUEST: "ข้อมูลครบถ้วน ตรงกับสัญญา",
    CheckKind.CAPACITY: "ทรัพยากรเพียงพอ",
    CheckKind.COST: "คำนวณตามอัตราที่ใช้บังคับ ไม่เกินราคากลาง",
}


class Act(NamedTuple):
    """Something done at a moment, by somebody."""

    at: dt.datetime
    order: int
    by: Actor
    do: Callable[[dt.datetime], Awaitable[None]]


@dataclass(slots=True)
class Story:
    """The cast, what is on offer, the official calendar, and the acts so far."""

    cast: Mapping[str, Actor]
    catalogue: Catalogue
    calendar: Calendar
    acts: list[Act] = field(default_factory=list)

    async def live(self) -> None:
        """Do everything in the order of time."""
        for contract in CONTRACTS:
            self._sign(contract)
        self._say_how_to_pay()
        for letter, budgets in _BUDGETS.items():
            for year, amount in budgets.items():
                self._grant_budget(letter, year, amount)
        for month in _months():
            self._close(month)
            for letter in _BUDGETS:
                self._pay(letter, month)
        for month in (*_months(), LAST_MONTH.next):
            self._read_power(month)
        for by in self.cast.values():
            self._read_news(by)
        for wish in WISHES:
            _Request(self, wish).plan()
        for act in sorted(self.acts, key=lambda act: (act.at, act.order)):
            async with acting_as(act.by):
                await act.do(act.at)

    def add(self, at: dt.datetime, by: Actor, do: Callable[[dt.datetime], Awaitable[None]]) -> None:
        """Have something done at a moment; of two at the same one, the first added goes first."""
        self.acts.append(Act(at, len(self.acts), by, do))

    def agency(self, letter: str) -> uuid.UUID:
        """Return the agency's id."""
        return self.cast[f"official-{letter}"].seat.id  # type: ignore[union-attr]  # the cast all have seats

    def _sign(self, contract: Contract) -> None:
        async def sign(now: dt.datetime) -> None:
            quantities = self.catalogue.quantities(contract.code, contract.amounts)
            await open_subscription(
                self.agency(contract.agency),
                self.catalogue.offerings[contract.code],
                quantities,
                label=contract.label,
                starts_at=FIRST_MONTH.starts_at,
                ends_on=contract.ends_on,
                contract_number=contract.contract_number,
                origin=contract.contract_number,
                now=now,
            )
            components = [self.catalogue.components[contract.code, name] for name in contract.amounts]
            await capacity.take({c.pool_id: quantities[c.id] for c in components if c.pool_id})

        self.add(_SIGNED_AT, self.cast["reviewer"], sign)

    def _read_power(self, month: Month) -> None:
        by = self.cast["technician"]

        async def read(now: dt.datetime) -> None:
            [rack] = await Subscription.filter(agency_id=self.agency("b"), offering__code="CO")
            await take(readings(rack.number, month, now), Origin(entered_by=by.name), by=by, now=now)

        self.add(min(month.ends_at, STORY_ENDS), by, read)

    def _grant_budget(self, letter: str, year: int, amount: Decimal) -> None:
        by = self.cast[f"finance-{letter}"]

        async def grant(now: dt.datetime) -> None:
            await set_budget(self.agency(letter), year, amount, by=by, now=now)

        self.add(midnight(dt.date(year - 544, 9, 29)) + dt.timedelta(hours=9, minutes=30), by, grant)

    def _read_news(self, by: Actor) -> None:
        async def read(now: dt.datetime) -> None:
            await mark_read(by, now=now)

        self.add(_LAST_READ_AT, by, read)

    def _close(self, month: Month) -> None:
        async def settle(now: dt.datetime) -> None:
            await end_due(now=now)
            await capacity.return_due(now=now)

        async def close(now: dt.datetime) -> None:
            provider_id = self.catalogue.offerings["GI"].provider_id
            for letter in _BUDGETS:
                await issue(self.agency(letter), provider_id, month, by=MONTH_END, now=now)

        self.add(month.ends_at + dt.timedelta(minutes=1), MONTH_END, settle)
        self.add(month.ends_at + CLOSES_AFTER, MONTH_END, close)

    def _say_how_to_pay(self) -> None:
        by, provider_id = self.cast["provider-finance"], self.catalogue.offerings["GI"].provider_id

        async def say(now: dt.datetime) -> None:
            await set_policy(provider_id, Policy(payment_instructions="\n".join(INSTRUCTIONS)), by=by, now=now)

        self.add(_SIGNED_AT, by, say)

    def _pay(self, letter: str, month: Month) -> None:
        by = self.cast["provider-finance"]

        def record(part: Part) -> Callable[[dt.datetime], Awaitable[None]]:
            return lambda now: pay(self.agency(letter), letter, month, part, by=by, now=now)

        for part in parts_of(letter, month):
            day = self.calendar.add_working_days(month.next.first, part.days)
            self.add(self.calendar.closing(day) - dt.timedelta(hours=2, minutes=part.days), by, record(part))


@dataclass(slots=True)
class _Request:
    """One wish as it becomes a request; its moves fall in working hours, one after the other."""

    story: Story
    wish: Wish
    id: uuid.UUID | None = None

    def plan(self) -> None:
        """Add the moves up to the wish's ending."""
        asked_at, pace = self.wish.asked_at, self.wish.pace
        self._by("official", asked_at, self._submit)
        if self.wish.ending is Ending.SUBMITTED:
            return
        self._by("reviewer", self._later(asked_at, 55 + pace), self._accept)
        answered = self._later(asked_at, 180 + 3 * pace)
        match self.wish.ending:
            case Ending.REJECTED:
                self._by("reviewer", answered, self._reject)
            case Ending.RETURNED_AND_WITHDRAWN:
                self._by("reviewer", answered, self._return)
                self._by("official", self._later(asked_at, 4 * 480 + pace), self._withdraw)
            case _:
                self._by("reviewer", answered, self._quote)
                self._plan_answer(answered, self._later(asked_at, 2 * 480 + 2 * pace))

    def _plan_answer(self, quoted: dt.datetime, answered: dt.datetime) -> None:
        match self.wish.ending:
            case Ending.AWAITING:
                return
            case Ending.DECLINED:
                self._by("approver", answered, self._decline)
            case Ending.EXPIRED:
                days = self.story.calendar.add_working_days(quoted.date(), CONFIRM_WITHIN_WORKING_DAYS)
                at = self.story.calendar.closing(days) + dt.timedelta(microseconds=1)
                self.story.add(at, system("quotes expire"), self._expire)
            case _:
                self._by("approver", answered, self._confirm)
                self._by("technician", self._later(answered, 60), self._start)
                steps = len(STEPS[self.wish.kind])
                done = steps // 2 if self.wish.ending is Ending.IN_PROGRESS else steps
                for position in range(1, done + 1):
                    self._by("technician", self._later(answered, 60 + 85 * position), self._step(position))

    def _later(self, start: dt.datetime, minutes: int) -> dt.datetime:
        return self.story.calendar.add_minutes(start, minutes)

    def _by(self, who: str, at: dt.datetime, do: Callable[[Actor, dt.datetime], Awaitable[object]]) -> None:
        own = {"official", "approver"}
        by = self.story.cast[f"{who}-{self.wish.agency}" if who in own else who]

        async def act(now: dt.datetime) -> None:
            await do(by, now)

        self.story.add(at, by, act)

    async def _submit(self, by: Actor, now: dt.datetime) -> None:
        wish = self.wish
        agency_id = self.story.agency(wish.agency)
        offering = self.story.catalogue.offerings[wish.code]
        subscription = await Subscription.get_or_none(
            agency_id=agency_id, offering_id=offering.id, state=SubscriptionState.ACTIVE
        )
        request = await requests.draft(
            agency_id,
            wish.kind,
            subscription_id=None if wish.kind is Kind.NEW or subscription is None else subscription.id,
            offering_id=offering.id,
            asked=self.story.catalogue.quantities(wish.code, wish.amounts),
            effective_on=wish.effective_on,
            justification=wish.why,
            label=wish.label,
            by=by,
            now=now - dt.timedelta(minutes=7),
        )
        self.id = request.id
        await requests.submit(request.id, by=by, now=now)

    async def _accept(self, by: Actor, now: dt.datetime) -> None:
        await requests.accept(self._known, by=by, now=now)

    async def _quote(self, by: Actor, now: dt.datetime) -> None:
        for before, (kind, note) in zip((40, 25, 10), _CHECKED.items(), strict=True):
            await requests.check(self._known, kind, True, note=note, by=by, now=now - dt.timedelta(minutes=before))
        await requests.quote(self._known, by=by, now=now)

    async def _return(self, by: Actor, now: dt.datetime) -> None:
        await requests.send_back(self._known, note=self.wish.note, by=by, now=now)

    async def _reject(self, by: Actor, now: dt.datetime) -> None:
        earlier = now - dt.timedelta(minutes=15)
        await requests.check(self._known, CheckKind.CAPACITY, False, note=self.wish.note, by=by, now=earlier)
        await requests.reject(self._known, note=self.wish.note, by=by, now=now)

    async def _withdraw(self, by: Actor, now: dt.datetime) -> None:
        await requests.withdraw(self._known, note="จะยื่นใหม่เมื่อรวบรวมรายการเครื่องแล้วเสร็จ", by=by, now=now)

    async def _confirm(self, by: Actor, now: dt.datetime) -> None:
        request = await ServiceRequest.get(id=self._known)
        standing = await Quote.get(id=request.quote_id)
        await requests.confirm(self._known, standing.sha256, by=by, now=now)

    async def _decline(self, by: Actor, now: dt.datetime) -> None:
        await requests.decline(self._known, note=self.wish.note, by=by, now=now)

    async def _expire(self, now: dt.datetime) -> None:
        await requests.expire(self._known, by=system("deadlines"), now=now)

    async def _start(self, by: Actor, now: dt.datetime) -> None:
        await fulfilment.start(self._known, by=by, now=now)

    def _step(self, position: int) -> Callable[[Actor, dt.datetime], Awaitable[object]]:
        async def step(by: Actor, now: dt.datetime) -> None:
            await fulfilment.finish_step(self._known, position, by=by, now=now)

        return step

    @property
    def _known(self) -> uuid.UUID:
        if self.id is None:
            raise LookupError(f"{self.wish.why} was not asked yet")
        return self.id


def _months() -> Iterator[Month]:
    month = FIRST_MONTH
    while month <= LAST_MONTH:
        yield month
        month = month.next
