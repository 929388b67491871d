"""What can be ordered, anew or at all, is said for days to come; who has it keeps it, and a quote given stands."""

import asyncio
import datetime as dt
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import pytest

from auth.audit.models import AuditRecord
from auth.errors import Invalid, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as
from billing.months import bangkok_date
from billing.tariffs.commands import set_tax_rate
from billing.tariffs.models import TaxKind
from billing.tariffs.rules import AboveCeiling, Basis, Tier
from portal.embedded_postgres import OWNER, SUPERUSER, Address
from services.capacity.rules import OverCapacity
from services.catalogue import commands as catalogue
from services.catalogue.models import ComponentBounds
from services.catalogue.queries import bounds_of, is_open_on, terms_of
from services.catalogue.rules import Bounds, Family, bounds_for, orders_on, takes_orders
from services.requests import commands as requests
from services.requests.models import ServiceRequest, WorkOrder
from services.requests.rules import CLOSED, Kind, State
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-08", "10:00")
TODAY = dt.date(2026, 12, 8)
NEW_YEAR = dt.date(2027, 1, 4)
NEW_SERVICE = {"bandwidth": "100"}


@dataclass(frozen=True)
class Version:
    effective_from: dt.date
    takes_orders: bool


async def _orders(stage: Stage, day: dt.date, *, code: str = "GI", who: str = "manager", **said: bool) -> None:
    await stage.as_(who, catalogue.set_terms, stage.catalogue.offerings[code].id, said, day, now=NOW)


async def _offered(stage: Stage, name: tuple[str, str], is_offered: bool, day: dt.date) -> None:
    await stage.as_("manager", catalogue.set_offered, stage.component(*name).id, is_offered, day, now=NOW)


async def _ask(
    stage: Stage, kind: Kind, amounts: Mapping[str, str], day: str, letter: str = "a", code: str = "GI"
) -> ServiceRequest:
    request = await stage.draft(letter, kind, code, amounts, day, now=NOW)
    return await stage.as_(f"official-{letter}", requests.submit, request.id, now=NOW)


async def _bounds(stage: Stage, name: tuple[str, str]) -> tuple[ComponentBounds, ...]:
    id_ = stage.component(*name).id
    async with acting_as(system("test")):
        return (await bounds_of([id_]))[id_]


def test_how_orders_stand_on_a_day() -> None:
    versions = (
        Version(dt.date(2027, 1, 10), True),
        Version(dt.date(2027, 2, 1), True),
        Version(dt.date(2027, 2, 1), False),
        Version(dt.date(2027, 3, 1), False),
        Version(dt.date(2027, 4, 1), True),
    )
    for day, are_taken, first_day, last_day in (
        (dt.date(2027, 1, 9), False, dt.date(2027, 1, 10), None),  # before the first, nothing is on offer
        (dt.date(2027, 1, 10), True, None, dt.date(2027, 1, 31)),
        (dt.date(2027, 2, 1), False, dt.date(2027, 4, 1), None),
        (dt.date(2027, 4, 1), True, None, None),
    ):
        orders = orders_on(versions, day)
        assert (orders.are_taken, orders.first_day, orders.last_day) == (are_taken, first_day, last_day)
        assert takes_orders(versions, day) is are_taken
        assert orders.are_possible
    assert not orders_on(versions[2:3], dt.date(2027, 5, 1)).are_possible


def test_what_is_not_offered_any_more_can_be_kept_and_lowered() -> None:
    gone = Bounds(Decimal(10), None, Decimal(10), is_offered=False)
    assert gone.complaint(Decimal(10)) == "This is not offered for that day: choose another day, or leave it out."
    assert gone.complaint(Decimal(60), Decimal(50)) is not None
    assert gone.complaint(Decimal(40), Decimal(50)) is None
    assert gone.complaint(Decimal(45), Decimal(50)) == "This does not fit the steps in which it can be ordered."


async def test_a_new_service_is_held_to_the_terms_of_its_day_and_services_in_use_are_not(stage: Stage) -> None:
    early = await stage.draft("a", Kind.NEW, "GI", NEW_SERVICE, "2026-12-22", now=NOW)
    late = await stage.draft("a", Kind.NEW, "GI", NEW_SERVICE, "2027-01-05", now=NOW)
    await _orders(stage, NEW_YEAR, is_open=False)
    await stage.as_("official-a", requests.submit, early.id, now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.as_("official-a", requests.submit, late.id, now=NOW)
    assert refused.value.fields == {"effective_on": CLOSED}
    await _ask(stage, Kind.CHANGE, {"bandwidth": "300"}, "2027-01-05")
    await _ask(stage, Kind.NEW_ADDON, {"ipv4-29": "1"}, "2027-01-05", letter="b")
    # The reviewer does not move it into the days that are closed, and can answer it as it was asked.
    await stage.as_("reviewer", requests.accept, early.id, now=NOW)
    for kind in ("request", "capacity", "cost"):
        await stage.as_("reviewer", requests.check, early.id, kind, True, now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.as_("reviewer", requests.quote, early.id, effective_on=dt.date(2027, 1, 5), now=NOW)
    assert refused.value.fields == {"effective_on": CLOSED}
    await _orders(stage, TODAY, is_open=False)
    await stage.as_("reviewer", requests.quote, early.id, effective_on=dt.date(2026, 12, 22), now=NOW)


async def test_a_quote_stands_whatever_closes_afterwards(stage: Stage) -> None:
    request = await _ask(stage, Kind.NEW, {**NEW_SERVICE, "ipv4-29": "1"}, "2026-12-22")
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    assert not {"is_open", "takes_waiting_list"} & set(quote.document["terms"])
    await _orders(stage, TODAY, is_open=False, takes_waiting_list=True)
    await _offered(stage, ("GI", "bandwidth"), False, TODAY)
    await _offered(stage, ("GI", "ipv4-29"), False, TODAY)
    async with acting_as(system("quotes")):
        assert await requests.void_stale(now=NOW) == 0
    order = await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    assert isinstance(order, WorkOrder)


async def test_the_waiting_list_is_that_of_the_day_asked_for(stage: Stage) -> None:
    await stage.leave_free("GI", "bandwidth", "50")
    await _orders(stage, NEW_YEAR, takes_waiting_list=True)
    early = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-22", now=NOW)
    with pytest.raises(OverCapacity):
        await stage.as_("official-a", requests.submit, early.id, now=NOW)
    late = await _ask(stage, Kind.CHANGE, {"bandwidth": "500"}, "2027-01-05")
    assert (late.state, late.waits_for_capacity) == (State.SUBMITTED, True)


async def test_closing_goes_on_into_what_is_announced_up_to_where_that_changes(stage: Stage) -> None:
    february, march = dt.date(2027, 2, 1), dt.date(2027, 3, 1)
    gi = stage.catalogue.offerings["GI"].id
    await stage.as_("manager", catalogue.set_terms, gi, {"lead_working_days": 9}, NEW_YEAR, now=NOW)
    await _orders(stage, february, is_open=False)
    await _orders(stage, march, is_open=True)
    await _orders(stage, TODAY, is_open=False)
    async with acting_as(system("test")):
        terms = (await terms_of([gi]))[gi]
        days = [await is_open_on(gi, day) for day in (TODAY, NEW_YEAR, february, march)]
        deeds = await AuditRecord.filter(action="terms.set", subject_id=str(gi)).order_by("number")
    assert days == [False, False, False, True]
    assert [one.lead_working_days for one in terms if one.effective_from == NEW_YEAR] == [9, 9]
    assert [one.number for one in terms if one.effective_from == TODAY] == [5]
    assert [deed.detail["after"] for deed in deeds][-2:] == [{"is_open": False}] * 2
    with pytest.raises(Invalid):
        await _orders(stage, TODAY, is_open=False)


async def test_what_is_no_longer_offered_stays_in_use_and_can_be_lowered_and_cancelled(stage: Stage) -> None:
    await _offered(stage, ("VM", "ssd"), False, NEW_YEAR)
    more = await stage.draft("b", Kind.CHANGE, "VM", {"ssd": "600"}, "2026-12-22", now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.draft("b", Kind.CHANGE, "VM", {"ssd": "600"}, "2027-01-05", now=NOW)
    assert set(refused.value.fields) == {str(stage.component("VM", "ssd").id)}
    with pytest.raises(Invalid):
        await stage.draft("a", Kind.NEW, "VM", {"vcpu": "2", "ssd": "100"}, "2027-01-05", now=NOW)
    await stage.draft("a", Kind.NEW, "VM", {"vcpu": "2"}, "2027-01-05", now=NOW)
    # A draft kept from before is refused when it is sent.
    await _offered(stage, ("VM", "ssd"), False, TODAY)
    with pytest.raises(Invalid) as refused:
        await stage.as_("official-b", requests.submit, more.id, now=NOW)
    assert set(refused.value.fields) == {str(stage.component("VM", "ssd").id)}
    await stage.as_("official-b", requests.withdraw, more.id, now=NOW)
    less = await _ask(stage, Kind.CHANGE, {"ssd": "400"}, "2027-01-05", letter="b", code="VM")
    await stage.as_("official-b", requests.withdraw, less.id, now=NOW)
    await _ask(stage, Kind.CANCEL, {}, "2027-01-31", letter="b", code="VM")


async def test_a_quote_offers_what_was_asked_for_in_time_and_no_more(stage: Stage) -> None:
    request = await _ask(stage, Kind.CHANGE, {"ssd": "600"}, "2026-12-22", letter="b", code="VM")
    part = stage.component("VM", "ssd").id
    await _offered(stage, ("VM", "ssd"), False, TODAY)
    await stage.as_("reviewer", requests.accept, request.id, now=NOW)
    for kind in ("request", "capacity", "cost"):
        await stage.as_("reviewer", requests.check, request.id, kind, True, now=NOW)
    for amended in ({"quantities": {part: Decimal(700)}}, {"effective_on": dt.date(2026, 12, 23)}):
        with pytest.raises(Invalid) as refused:
            await stage.as_("reviewer", requests.quote, request.id, **amended, now=NOW)
        assert set(refused.value.fields) == {str(part)}
    await stage.as_("reviewer", requests.quote, request.id, now=NOW)


async def test_a_component_is_offered_from_its_first_day_on(stage: Stage) -> None:
    gi = stage.catalogue.offerings["GI"].id
    part = await stage.as_(
        "provider-finance",
        catalogue.add_component,
        gi,
        "burst",
        names=("เพิ่มชั่วคราว", "Burst"),
        units=("Mbps", "Mbps"),
        basis=Basis.DAILY,
        bounds=Bounds(Decimal(10), None, Decimal(10)),
        effective_from=NEW_YEAR,
        now=NOW,
    )
    await stage.as_("provider-finance", catalogue.set_price, part.id, [Tier(None, Decimal(1))], TODAY, now=NOW)
    for day, is_offered in (("2026-12-22", False), ("2027-01-04", True)):
        new = stage.as_(
            "official-a",
            requests.draft,
            stage.agency("a"),
            Kind.NEW,
            offering_id=gi,
            asked={part.id: Decimal(20)},
            effective_on=dt.date.fromisoformat(day),
            now=NOW,
        )
        if is_offered:
            await new
        else:
            with pytest.raises(Invalid):
                await new
    # Other quantities for days before do not offer it then; offering it does.
    await stage.as_("manager", catalogue.set_bounds, part.id, Bounds(Decimal(5), None, Decimal(5)), TODAY, now=NOW)
    async with acting_as(system("test")):
        known = (await bounds_of([part.id]))[part.id]
    assert not bounds_for(known, TODAY).is_offered
    assert bounds_for(known, NEW_YEAR) == Bounds(Decimal(10), None, Decimal(10))
    await stage.as_("manager", catalogue.set_offered, part.id, True, dt.date(2026, 12, 15), now=NOW)
    async with acting_as(system("test")):
        known = (await bounds_of([part.id]))[part.id]
    assert bounds_for(known, dt.date(2026, 12, 15)) == Bounds(Decimal(5), None, Decimal(5))


async def test_an_offering_takes_orders_from_its_first_day_on(stage: Stage) -> None:
    facts = {"name_th": "ใหม่", "name_en": "New", "availability_pct": Decimal(99), "lead_working_days": 1}
    offering = await stage.as_(
        "manager", catalogue.add_offering, "ZZ", Family.CLOUD, facts, effective_from=NEW_YEAR, now=NOW
    )
    async with acting_as(system("test")):
        open_on = [await is_open_on(offering.id, day) for day in (TODAY, NEW_YEAR)]
    assert open_on == [False, True]
    # Terms of an earlier day say nothing of orders; opening it earlier does.
    await stage.as_("manager", catalogue.set_terms, offering.id, {"lead_working_days": 2}, TODAY, now=NOW)
    async with acting_as(system("test")):
        assert not await is_open_on(offering.id, TODAY)
    await _orders_of(stage, offering.id)
    async with acting_as(system("test")):
        assert await is_open_on(offering.id, TODAY)


async def _orders_of(stage: Stage, offering_id: object) -> None:
    await stage.as_("manager", catalogue.set_terms, offering_id, {"is_open": True}, TODAY, now=NOW)


async def test_a_whole_addon_is_withdrawn_and_offered_again(stage: Stage) -> None:
    addon_id = stage.component("VM", "snapshot").addon_id
    vm = stage.catalogue.offerings["VM"].id
    more = await stage.as_(
        "manager",
        catalogue.add_component,
        vm,
        "snapshot-more",
        names=("เพิ่ม", "More"),
        units=("GB", "GB"),
        basis=Basis.DAILY,
        bounds=Bounds(Decimal(1), None, Decimal(1)),
        addon_id=addon_id,
        now=NOW,
    )
    wider = Bounds(Decimal(2), None, Decimal(2))
    await stage.as_("manager", catalogue.set_bounds, more.id, wider, NEW_YEAR, now=NOW)
    withdraw = dt.date(2026, 12, 15)
    await stage.as_("provider-finance", catalogue.set_addon_offered, addon_id, False, withdraw, now=NOW)
    again = dt.date(2027, 2, 1)
    await stage.as_("manager", catalogue.set_addon_offered, addon_id, True, again, now=NOW)
    async with acting_as(system("test")):
        known = await bounds_of([stage.component("VM", "snapshot").id, more.id])
    for versions in known.values():
        days = (TODAY, withdraw, NEW_YEAR, again)
        assert [bounds_for(versions, day).is_offered for day in days] == [True, False, False, True]
    assert bounds_for(known[more.id], again) == wider
    with pytest.raises(Invalid):
        await stage.as_("manager", catalogue.set_addon_offered, addon_id, True, again, now=NOW)


async def test_days_that_have_passed_need_a_manager_and_a_reason(stage: Stage) -> None:
    past, part = dt.date(2026, 12, 1), stage.component("VM", "snapshot")
    for command, subject, said in (
        (catalogue.set_terms, stage.catalogue.offerings["GI"].id, {"is_open": False}),
        (catalogue.set_offered, part.id, False),
        (catalogue.set_addon_offered, stage.component("VM", "windows").addon_id, False),
        (catalogue.set_ceiling, stage.component("GI", "ipv4-29").id, Decimal(100_000)),
    ):
        with pytest.raises(NotPermitted):
            await stage.as_("provider-finance", command, subject, said, past, reason="ตามมติ", now=NOW)
        with pytest.raises(Invalid) as refused:
            await stage.as_("manager", command, subject, said, past, now=NOW)
        assert "reason" in refused.value.fields
        await stage.as_("manager", command, subject, said, past, reason="ตามมติ", now=NOW)
        with pytest.raises(NotPermitted):
            await stage.as_("official-a", command, subject, said, NEW_YEAR, now=NOW)


async def test_a_ceiling_is_set_from_a_day_on_and_no_price_is_above_it(stage: Stage) -> None:
    """The reference's vCPU: 0.55 an hour under a ceiling of 0.70."""
    part = stage.component("VM", "vcpu").id
    await stage.as_("provider-finance", catalogue.set_ceiling, part, Decimal("0.60"), NEW_YEAR, now=NOW)
    with pytest.raises(AboveCeiling):
        await stage.as_("manager", catalogue.set_price, part, [Tier(None, Decimal("0.65"))], NEW_YEAR, now=NOW)
    with pytest.raises(Invalid) as refused:
        await stage.as_("manager", catalogue.set_ceiling, part, Decimal("0.61"), NEW_YEAR, now=NOW)
    assert set(refused.value.fields) == {"effective_from"}
    with pytest.raises(Invalid) as refused:
        await stage.as_("manager", catalogue.set_ceiling, part, Decimal(0), TODAY, now=NOW)
    assert set(refused.value.fields) == {"amount"}
    # Below the price in force then: refused, until the price is lower from that day on.
    march = dt.date(2027, 3, 1)
    with pytest.raises(AboveCeiling):
        await stage.as_("manager", catalogue.set_ceiling, part, Decimal("0.50"), march, now=NOW)
    await stage.as_("manager", catalogue.set_price, part, [Tier(None, Decimal("0.50"))], march, now=NOW)
    await stage.as_("manager", catalogue.set_ceiling, part, Decimal("0.50"), march, now=NOW)
    # With VAT in it, 0.53 is less than 0.50 and its 7 %.
    with pytest.raises(AboveCeiling):
        await stage.as_(
            "manager", catalogue.set_ceiling, part, Decimal("0.53"), dt.date(2027, 4, 1), includes_vat=True, now=NOW
        )


async def test_a_ceiling_with_vat_in_it_is_held_to_the_vat_of_each_day(stage: Stage) -> None:
    """0.70 with VAT: 0.65 fits at 7 %, and no more where 10 % were announced."""
    part, autumn = stage.component("VM", "vcpu").id, dt.date(2027, 10, 1)
    async with acting_as(system("test")):
        await set_tax_rate(TaxKind.VAT, Decimal("0.10"), autumn, now=NOW)
    ceiling, low = Decimal("0.70"), [Tier(None, Decimal("0.60"))]
    await stage.as_("manager", catalogue.set_ceiling, part, ceiling, NEW_YEAR, includes_vat=True, now=NOW)
    price = [Tier(None, Decimal("0.65"))]
    with pytest.raises(AboveCeiling) as refused:
        await stage.as_("manager", catalogue.set_price, part, price, NEW_YEAR, now=NOW)
    assert (refused.value.on, refused.value.vat_rate) == (autumn, Decimal("0.10"))
    # With a lower price from that day on, it is in force as long as it fits.
    await stage.as_("manager", catalogue.set_price, part, low, autumn, now=NOW)
    await stage.as_("manager", catalogue.set_price, part, price, NEW_YEAR, now=NOW)
    # A ceiling that is recorded later is held against both, each at its own days' rate.
    spring, at_ten = dt.date(2027, 3, 1), Decimal("0.6955")
    with pytest.raises(AboveCeiling) as refused:
        await stage.as_(
            "manager", catalogue.set_ceiling, part, at_ten - Decimal("0.01"), spring, includes_vat=True, now=NOW
        )
    assert refused.value.on == spring
    await stage.as_("manager", catalogue.set_ceiling, part, at_ten, spring, includes_vat=True, now=NOW)


async def test_two_who_close_at_once_close_once(stage: Stage) -> None:
    async def tried(done: object) -> str:
        try:
            await done  # type: ignore[misc]
        except Invalid as refused:
            return next(iter(refused.fields))
        return "done"

    gi, part = stage.catalogue.offerings["GI"].id, stage.component("VM", "snapshot")
    for commands in (
        [stage.as_("manager", catalogue.set_terms, gi, {"is_open": False}, NEW_YEAR, now=NOW) for _ in range(4)],
        [stage.as_("manager", catalogue.set_offered, part.id, False, NEW_YEAR, now=NOW) for _ in range(2)]
        + [stage.as_("manager", catalogue.set_addon_offered, part.addon_id, False, NEW_YEAR, now=NOW) for _ in "ab"],
    ):
        outcomes = await asyncio.gather(*(tried(each) for each in commands))
        assert sorted(outcomes) == ["done"] + ["effective_from"] * 3
    assert len(await _bounds(stage, ("VM", "snapshot"))) == 2


async def test_sending_and_closing_at_once_leaves_one_or_the_other(stage: Stage) -> None:
    drafts = [await stage.draft("a", Kind.NEW, "GI", NEW_SERVICE, "2027-01-05", now=NOW) for _ in range(4)]

    async def sent(request: ServiceRequest) -> dict[str, str]:
        try:
            await stage.as_("official-a", requests.submit, request.id, now=NOW)
        except Invalid as refused:
            return refused.fields
        return {}

    [*outcomes, _] = await asyncio.gather(
        *(sent(each) for each in drafts), _orders(stage, bangkok_date(NOW), is_open=False)
    )
    states = [(await stage.request(each.id)).state for each in drafts]
    for state, refusal in zip(states, outcomes, strict=True):
        assert (state, refusal) in [(State.SUBMITTED, {}), (State.DRAFT, {"effective_on": CLOSED})]


async def test_what_an_offering_took_orders_for_is_said_by_each_of_its_versions(
    stage: Stage, cluster: Address, database: str
) -> None:
    """The migration's own words, run by the owner of the tables, whom row-level security binds as well."""
    gi = stage.catalogue.offerings["GI"].id
    await stage.as_("manager", catalogue.set_terms, gi, {"lead_working_days": 9}, NEW_YEAR, now=NOW)
    migration = importlib.import_module("services.migrations.0134_orders")
    owner = await asyncpg.connect(cluster.url(SUPERUSER, database))
    try:
        await owner.execute(f"SET ROLE {OWNER}")
        async with owner.transaction():
            await owner.execute(
                """
                ALTER TABLE offering ADD is_open boolean NOT NULL DEFAULT true,
                    ADD takes_waiting_list boolean NOT NULL DEFAULT false;
                SELECT set_config('portal.scope', 'system', true);
                UPDATE offering SET is_open = false, takes_waiting_list = true WHERE code = 'GI';
                SELECT set_config('portal.scope', '', true);
                """
            )
            await owner.execute(migration._AS_IT_IS)
            await owner.execute("ALTER TABLE offering DROP is_open, DROP takes_waiting_list")
        with pytest.raises(asyncpg.PostgresError, match="never changed"):
            await owner.execute("SET ROLE postgres; UPDATE offering_terms SET is_open = true")
    finally:
        await owner.close()
    async with acting_as(system("test")):
        terms = await terms_of(each.id for each in stage.catalogue.offerings.values())
    said = {id_: {(one.is_open, one.takes_waiting_list) for one in versions} for id_, versions in terms.items()}
    assert len(terms[gi]) == 2
    assert said.pop(gi) == {(False, True)}
    assert set().union(*said.values()) == {(True, False)}
