"""What a person types into a request, read without losing any of it, and what can be said about it at once."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from auth.errors import Invalid, NotFound
from auth.rules import Actor, Permission
from billing.months import bangkok_date
from billing.tariffs.rules import NoPrice
from portal.formats import NotADate, NotANumber, date_numeric, parse_date, parse_number
from portal.i18n import gettext as _
from portal.visit import Fields
from services.calendar.rules import Calendar
from services.catalogue.models import Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.queries import bounds_of, terms_of
from services.catalogue.rules import Bounds, Orders, bounds_for, in_force, orders_on, takes_orders
from services.requests.commitments import committed_in
from services.requests.models import RequestEvent
from services.requests.pricing import Ask, Price
from services.requests.queries import (
    Demand,
    Effect,
    Whole,
    demands_of,
    effect_on_budget,
    lead_days_of,
    price_request,
    prospective,
    year_of,
)
from services.requests.rules import CLOSED, Kind, earliest_effective, first_day
from services.subscriptions.models import SubscriptionState
from services.subscriptions.queries import InUse, quantities_planned, subscription

_MOST = Decimal(10) ** 12  # beyond any pool; what the columns hold is wider
_LONGEST = 4000


@dataclass(slots=True)
class Row:
    """One component on the form: how much there is, and what was typed for how much there is to be.

    `bounds` are those of the day it is asked for, `orders` how orders of it stand today.
    """

    component: Component
    before: Decimal
    versions: tuple[ComponentBounds, ...]
    orders: Orders
    bounds: Bounds
    typed: str = ""
    after: Decimal | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """The name of its field; also how its refusals are found again."""
        return f"q-{self.component.id}"

    @property
    def is_shown(self) -> bool:
        """Whether it has a place on the form: what can be ordered some day, is there, or was asked for already."""
        return bool(self.orders.are_possible or self.before or self.typed or self.after)


@dataclass(slots=True)
class Form:
    """A request as it stands on the form: for which service or offering, with every text as typed."""

    kind: Kind
    offering: Offering
    service: InUse | None
    rows: list[Row]
    terms: tuple[OfferingTerms, ...]
    calendar: Calendar
    today: dt.date
    label: str = ""
    day: str | dt.date = ""
    effective_on: dt.date | None = None
    asks_earlier: bool = False
    justification: str = ""
    events: tuple[RequestEvent, ...] = ()  # of the request that is edited, none for a new one
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def promised(self) -> OfferingTerms:
        """The terms that apply on the day asked for, today's while there is none."""
        return in_force(self.terms, self.effective_on or self.today)

    @property
    def orders(self) -> Orders:
        """How orders of the offering stand today; of a service in use they concern nothing."""
        return orders_on(self.terms, self.today)

    @property
    def is_closed(self) -> bool:
        """Whether this is for a new service on a day for which the offering takes no new orders."""
        on = self.effective_on
        return self.kind is Kind.NEW and on is not None and not takes_orders(self.terms, on)

    @property
    def earliest(self) -> dt.date:
        """The first day by the lead time: that of the day asked for, else the first of all.

        For a new service it is a day for which the offering takes orders, where there is one.
        """
        of_the_day = earliest_effective(self.calendar, self.today, lead_days_of(self.kind, self.promised))
        if self.effective_on is not None and self.kind is not Kind.NEW:
            return of_the_day
        leads = [(terms.effective_from, self._lead_of(terms)) for terms in self.terms]
        if self.kind is Kind.NEW:
            leads.insert(0, (dt.date.min, None))
        first_of_all = first_day(self.calendar, self.today, leads) or of_the_day
        if self.effective_on is None or self.is_closed:
            return first_of_all
        return max(first_of_all, of_the_day)

    def _lead_of(self, terms: OfferingTerms) -> int | None:
        return None if self.kind is Kind.NEW and not terms.is_open else lead_days_of(self.kind, terms)

    @property
    def asked(self) -> dict[uuid.UUID, Decimal]:
        """What is asked, by component, as the commands take it."""
        return {row.component.id: row.after for row in self.rows if row.after is not None}

    @property
    def asks(self) -> list[Ask]:
        """What would change."""
        return [
            Ask(row.component, row.before, row.after)
            for row in self.rows
            if row.after is not None and row.after != row.before
        ]

    @property
    def is_early(self) -> bool:
        """Whether the day asked for comes before the lead time allows."""
        return self.effective_on is not None and self.effective_on < self.earliest

    def refuse(self, refused: Invalid) -> None:
        """Put what a command refused beside the fields it speaks of."""
        for name, why in refused.fields.items():
            row = next((row for row in self.rows if str(row.component.id) == name), None)
            if row:
                row.error = _(why)
            self.errors[row.name if row else name] = _(why)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a form comes to as things stand: cost, capacity, and the agency's budget."""

    price: Price | None
    demands: tuple[Demand, ...]
    effect: Effect | None
    problem: str | None = None

    @property
    def is_short(self) -> bool:
        """Whether more is asked than is free (annex ก 1.3)."""
        return any(demand.short_by for demand in self.demands)


async def begin(
    kind: Kind, *, service_id: uuid.UUID | None, offering_id: uuid.UUID | None, calendar: Calendar, now: dt.datetime
) -> Form:
    """Return an empty form for a kind of request; NotFound for what cannot be asked of this service or offering.

    One for an offering that takes no new orders is a form as well, so that nothing typed is lost; it says so.
    """
    service = await subscription(service_id, at=now) if service_id else None
    if service is None and kind is not Kind.NEW:
        raise NotFound("Subscription")
    if service and (kind is Kind.NEW or service.subscription.state is not SubscriptionState.ACTIVE):
        raise NotFound("Subscription")
    if service:
        offering = service.subscription.offering
    else:
        found = await Offering.filter(id=offering_id).first() if offering_id else None
        if found is None:
            raise NotFound("Offering")
        offering = found
    present = await quantities_planned(service.subscription.id, now) if service else {}
    components = (
        await Component.filter(offering_id=offering.id)
        .select_related("price_item", "pool", "addon")
        .order_by("position", "code")
    )
    components.sort(key=lambda component: component.addon_id is not None)
    terms, versions = (await terms_of([offering.id]))[offering.id], await bounds_of(each.id for each in components)
    made = Form(kind, offering, service, [], terms, calendar, bangkok_date(now))
    made.day = made.effective_on = made.earliest
    made.rows = rows = [
        Row(
            component,
            present.get(component.id, Decimal(0)),
            versions[component.id],
            orders_on(versions[component.id], made.today),
            bounds_for(versions[component.id], made.effective_on),
        )
        for component in components
        if _speaks_of(kind, component, present)
    ]
    for row in rows:
        if kind is Kind.CHANGE:
            row.typed, row.after = _plain(row.before), row.before
        elif kind is Kind.CANCEL:
            row.after = Decimal(0)
    return made


async def again(found: Whole, calendar: Calendar, now: dt.datetime) -> Form:
    """Return the form of a draft or a returned request, filled in as it was saved."""
    request = found.request
    made = await begin(
        request.kind,
        service_id=request.subscription_id if request.kind is not Kind.NEW else None,
        offering_id=request.offering_id,
        calendar=calendar,
        now=now,
    )
    asked = {item.component_id: item.asked for item in found.items}
    for row in made.rows:
        if row.component.id in asked:
            row.after = asked[row.component.id]
            row.typed = _plain(row.after)
    made.label, made.justification, made.events = request.label, request.justification, found.events
    made.day = made.effective_on = request.effective_on
    for row in made.rows:
        row.bounds = bounds_for(row.versions, request.effective_on)
    made.asks_earlier = request.asks_earlier
    return made


def take(form: Form, typed: Fields) -> None:
    """Read what was typed into a form, and note beside each field what cannot be taken."""
    form.label, form.justification = typed.get("label"), typed.get("justification")
    form.asks_earlier = bool(typed.get("asks_earlier"))
    form.day, form.effective_on = typed.get("effective_on"), None
    try:
        form.effective_on = parse_date(typed.get("effective_on"))
    except NotADate:
        form.errors["effective_on"] = _("Enter a date such as 16/12/2569.")
    if form.is_closed:
        form.errors["effective_on"] = _(CLOSED)
    for row in form.rows:
        row.bounds = bounds_for(row.versions, form.effective_on or form.today)
        if form.kind is not Kind.CANCEL:
            _take_quantity(form.kind, row, typed.get(row.name))
        if row.error:
            form.errors[row.name] = row.error
    if len(form.justification) > _LONGEST:
        form.errors["justification"] = _("This text is too long.")
    if len(form.label) > 150:
        form.errors["label"] = _("This text is too long.")


def typed_for(form: Form, asked: Mapping[uuid.UUID, Decimal]) -> dict[str, str]:
    """Return a form's fields as they are typed to ask for some quantities, whether these can be ordered or not."""
    typed = {"label": form.label, "justification": form.justification}
    typed["effective_on"] = date_numeric(form.effective_on or form.earliest)
    for row in form.rows:
        typed[row.name] = _plain(asked[row.component.id]) if row.component.id in asked else row.typed
    return typed


async def look_ahead(form: Form, *, by: Actor, now: dt.datetime) -> Preview:
    """Return what a form comes to now; the budget only for whom the agency's costs concern."""
    asks = form.asks
    demands = await demands_of(asks)
    if not asks or form.effective_on is None or by.agency_id is None:
        return Preview(None, demands, None)
    service = (
        form.service.subscription.id
        if form.service
        else prospective(uuid.uuid4(), by.agency_id, form.offering, form.label or form.offering.name_th)
    )
    try:
        book, price = await price_request(
            by.agency_id, service, form.kind, asks, form.effective_on, today=bangkok_date(now)
        )
    except NoPrice:
        return Preview(None, demands, None, _("There is no price for that day."))
    if not by.may(Permission.COSTS_READ):
        return Preview(price, demands, None)
    committed = await committed_in(by.agency_id, year_of(price), now=now)
    return Preview(price, demands, await effect_on_budget(by.agency_id, book, price, committed))


def _speaks_of(kind: Kind, component: Component, present: Mapping[uuid.UUID, Decimal]) -> bool:
    is_addon, is_there = component.addon_id is not None, component.id in present
    match kind:
        case Kind.NEW:
            return True
        case Kind.NEW_ADDON:
            return is_addon and not is_there
        case Kind.CHANGE | Kind.CANCEL:
            return is_there
        case Kind.CANCEL_ADDON:
            return is_addon and is_there


def _take_quantity(kind: Kind, row: Row, text: str) -> None:
    row.typed, row.after = text, None
    if kind is Kind.CANCEL_ADDON:
        row.after = Decimal(0) if text else row.before
        return
    if not text and kind is not Kind.CHANGE:
        return  # left out: not ordered
    try:
        amount = parse_number(text)
    except NotANumber:
        row.error = _("Enter a number.")
        return
    if kind is not Kind.CHANGE and not amount:
        return
    complaint = "This is more than can be ordered." if amount >= _MOST else row.bounds.complaint(amount, row.before)
    if amount == row.before:
        complaint = None  # as it is; it may stand outside bounds set later
    row.error = _(complaint) if complaint else None
    if Decimal(0) < amount < _MOST:
        row.after = amount  # also one that cannot be ordered: what it would take of the capacity is said all the same


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
