import asyncio
import datetime as dt
import random
from decimal import Decimal

import pytest

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor, system
from auth.tenancy import acting_as, rows, unit_of_work
from billing.metering.commands import Receipt, take
from billing.metering.references import map_reference
from billing.metering.rules import BadReadings, Contradicted, Reading
from billing.metering.storing import Origin
from billing.metering.sums import sum_up
from billing.months import Month, midnight
from billing.statements.commands import issue
from billing.tariffs.commands import set_price
from billing.tariffs.rules import Tier
from tests.billing.metering.world import MACHINE, World, at, everything, hours
from tests.cast import actor


async def test_a_reading_is_stored_and_summed_in_its_hour_and_day(world: World) -> None:
    receipt = await world.take(
        world.reading(1, "1.25"), world.reading(2, "3"), world.reading(3, "0.000001", starts_at=at(2026, 12, 10, 10))
    )
    assert receipt == Receipt(stored=3, duplicates=0)
    assert await hours(world.service.id) == [
        (at(2026, 12, 10, 9), Decimal("4.25"), Decimal(3), 2),
        (at(2026, 12, 10, 10), Decimal("0.000001"), Decimal("0.000001"), 1),
    ]
    async with acting_as(system("test")):
        [day] = await rows("SELECT day, total, high, events FROM usage_day")
    assert tuple(day.values()) == (dt.date(2026, 12, 10), Decimal("4.250001"), Decimal(3), 3)


async def test_a_repeat_changes_nothing(world: World) -> None:
    batch = [world.reading(n) for n in range(5)]
    await world.take(*batch)
    before = await everything()
    same = world.reading(3, "1.500", starts_at=at(2026, 12, 10, 9).astimezone(dt.UTC))
    assert await world.take(*batch, same) == Receipt(stored=0, duplicates=6)
    assert await everything() == before


async def test_a_repeat_is_known_when_it_would_be_too_late_to_be_taken(world: World) -> None:
    await world.take(world.reading())
    assert await world.take(world.reading(), now=at(2027, 6, 1)) == Receipt(stored=0, duplicates=1)


async def test_the_same_identity_with_another_body_is_refused_also_across_months(world: World) -> None:
    await world.take(world.reading(1), now=at(2026, 12, 15))
    other_month = world.reading(1, starts_at=at(2027, 1, 2, 9))
    with pytest.raises(Contradicted) as refused:
        await world.take(world.reading(7, starts_at=at(2027, 1, 2, 9)), other_month, now=at(2027, 1, 3))
    assert refused.value.events == [1]
    assert await everything() == [1, 1, 1, 1]


async def test_a_batch_may_repeat_but_not_contradict_itself(world: World) -> None:
    assert await world.take(world.reading(1), world.reading(1)) == Receipt(stored=1, duplicates=1)
    with pytest.raises(Contradicted):
        await world.take(world.reading(2, "1"), world.reading(2, "2"))


async def test_every_bad_event_is_named_and_nothing_is_stored(world: World) -> None:
    good = world.reading(0)
    bad = {
        1: (world.reading(1, "-1"), "data.quantity"),
        2: (world.reading(2, "1e3"), "data.quantity"),
        3: (world.reading(3, subject="CO-A01-2570-999"), "subject"),
        4: (world.reading(4, meter="gas"), "data.meter"),
        5: (world.reading(5, meter="rack"), "data.meter"),
        6: (world.reading(6, ends_at=at(2026, 12, 10, 8)), "data.end"),
        7: (world.reading(7, starts_at=at(2026, 12, 15, 12)), "data.end"),
        8: (world.reading(8, starts_at=at(2026, 11, 9, 10)), "data.end"),
        9: (world.reading(9, source=""), "source"),
        10: (world.reading(10, starts_at=at(2025, 12, 31, 9)), "data.end"),
        11: (world.reading("x" * 201), "id"),
        12: (world.reading(12, starts_at=at(1999, 1, 1)), "data.start"),
    }
    with pytest.raises(BadReadings) as refused:
        await world.take(good, *(reading for reading, _ in bad.values()))
    assert {index: next(iter(fields)) for index, fields in refused.value.events.items()} == {
        index: field for index, (_, field) in bad.items()
    }
    assert await everything() == [0, 0, 0, 0]


async def test_texts_are_stored_as_they_came_and_control_characters_refused(world: World) -> None:
    strange = {"source": r"/m\t\N\\.", "event_id": "รหัส 'ก' {,} \u2028 \\"}
    assert await world.take(world.reading(**strange)) == Receipt(1, 0)
    assert await world.take(world.reading(**strange)) == Receipt(0, 1)
    async with acting_as(system("test")):
        [stored] = await rows("SELECT source, event_id FROM usage_event")
    assert stored == strange
    for field, attribute in (("source", "source"), ("event_id", "id"), ("subject", "subject")):
        for control in "\0\t\n\r\x1f\x7f\x85":
            with pytest.raises(BadReadings) as refused:
                await world.take(world.reading(2), world.reading(**{"event_id": "3", field: f"a{control}b"}))
            assert refused.value.events == {1: {attribute: "must hold no control characters"}}


async def test_batches_of_one_transaction_are_each_stored_once(world: World) -> None:
    async with acting_as(world.provider):
        for n in range(3):
            receipt = await take([world.reading(n)], Origin(MACHINE), by=world.provider, now=at(2026, 12, 15))
            assert receipt == Receipt(stored=1, duplicates=0)
    assert (await everything())[:2] == [3, 3]


async def test_a_refused_batch_leaves_its_session_ready_for_the_next(world: World) -> None:
    await world.take(world.reading(1))
    for n in range(20):  # more than the pool has sessions: each refuses first, and then stores
        with pytest.raises(Contradicted):
            await world.take(world.reading(1, "7"), world.reading(f"new {n}"))
        assert await world.take(world.reading(f"new {n}")) == Receipt(stored=1, duplicates=0)


async def test_events_up_to_35_days_late_are_taken_and_later_ones_by_staff_with_a_reason(world: World) -> None:
    old = world.reading(1, starts_at=at(2026, 11, 9, 11))
    assert await world.take(old, now=at(2026, 12, 14, 12)) == Receipt(1, 0)
    older = world.reading(2, starts_at=at(2026, 11, 9, 10, 59))
    with pytest.raises(BadReadings):
        await world.take(older, now=at(2026, 12, 14, 12))
    with pytest.raises(Invalid):
        await world.take(older, now=at(2026, 12, 14, 12), latest=None)
    assert await world.take(older, now=at(2026, 12, 14, 12), latest=None, reason="มิเตอร์ขัดข้อง") == Receipt(1, 0)


@pytest.mark.parametrize("month", [Month(2026, 11), Month(2026, 12), Month(2024, 2), Month(2027, 9)])
async def test_a_months_edge_is_bangkoks(world: World, month: Month) -> None:
    edge = month.ends_at
    await world.add_service("agency-b", since=at(2023, 1, 1))
    service = world.services[1]
    before = edge - dt.timedelta(milliseconds=1)
    await world.take(
        world.reading(1, "1", subject=service.number, starts_at=before, ends_at=edge),
        world.reading(2, "2", subject=service.number, starts_at=edge, ends_at=edge),
        now=edge + dt.timedelta(hours=1),
    )
    across = world.reading(3, subject=service.number, starts_at=before, ends_at=edge + dt.timedelta(microseconds=1))
    with pytest.raises(BadReadings):
        await world.take(across, now=edge + dt.timedelta(hours=1))
    await sum_up()
    async with acting_as(system("test")):
        days = await rows("SELECT day, total FROM usage_day ORDER BY day")
        parts = await rows("SELECT tableoid::regclass::text AS part, quantity FROM usage_event ORDER BY starts_at")
    assert [(day["day"], day["total"]) for day in days] == [(month.last, Decimal(1)), (month.next.first, Decimal(2))]
    assert [part["part"] for part in parts] == [
        f"usage_event_{str(each).replace('-', '_')}" for each in (month, month.next)
    ]


async def test_a_reading_across_a_price_change_is_refused(world: World) -> None:
    async with acting_as(system("test")):
        await set_price(
            world.items["energy"],
            (Tier(None, Decimal(5)),),
            dt.date(2026, 12, 11),
            by=system("test"),
            now=at(2026, 12, 1),
        )
    change = midnight(dt.date(2026, 12, 11))
    up_to = world.reading(1, starts_at=change - dt.timedelta(days=3), ends_at=change)
    assert await world.take(up_to) == Receipt(1, 0)
    with pytest.raises(BadReadings, match="price changes"):
        await world.take(
            world.reading(2, starts_at=change - dt.timedelta(days=3), ends_at=change + dt.timedelta(hours=1))
        )


async def test_a_reading_names_a_service_by_the_providers_own_reference(world: World) -> None:
    reviewer = await actor("reviewer")
    with pytest.raises(BadReadings):
        await world.take(world.reading(1, subject="dc1/rack-7"))
    async with acting_as(reviewer):
        await map_reference("dc1/rack-7", world.service.id, by=reviewer, now=at(2026, 12, 1))
    assert await world.take(world.reading(1, subject="dc1/rack-7")) == Receipt(1, 0)
    for taken in ("dc1/rack-7", world.service.number):
        with pytest.raises(Conflict):
            async with acting_as(reviewer):
                await map_reference(taken, world.service.id, by=reviewer, now=at(2026, 12, 1))


async def test_only_a_provider_measures_and_an_agency_sees_its_own_alone(world: World) -> None:
    await world.add_service("agency-b")
    await world.take(world.reading(1), world.reading(2, subject=world.services[1].number))
    official = await actor("official-a")
    with pytest.raises(NotPermitted):
        async with acting_as(official):
            await take([world.reading(3)], Origin(), by=official, now=at(2026, 12, 15))
    async with acting_as(official):
        assert await rows("SELECT agency_id FROM usage_unsummed") == [{"agency_id": world.agency_id}]
    await sum_up()
    for table in ("usage_event", "usage_hour", "usage_day"):
        async with acting_as(official):
            seen = await rows(f"SELECT agency_id FROM {table}")  # noqa: S608 - ours
        assert [row["agency_id"] for row in seen] == [world.agency_id]
    async with acting_as(official):
        assert await rows("SELECT DISTINCT agency_id FROM usage_identity") == [{"agency_id": world.agency_id}]
        assert await rows("UPDATE usage_hour SET total = 0 RETURNING 1") == []


@pytest.mark.parametrize("change", ["UPDATE usage_event SET quantity = 0", "DELETE FROM usage_identity"])
async def test_an_event_is_never_edited(world: World, change: str) -> None:
    await world.take(world.reading())
    with pytest.raises(Exception, match="permission denied"):
        async with acting_as(system("test")):
            await rows(change)


async def test_another_providers_services_are_unknown(world: World) -> None:
    stranger = Actor(
        "stranger", seat=world.provider.seat.__class__(world.agency_id, world.provider.seat.kind, "x", "x", "x")
    )  # type: ignore[union-attr]
    with pytest.raises(BadReadings, match="names no service of yours"):
        async with acting_as(stranger):
            await take([world.reading()], Origin(), by=stranger, now=at(2026, 12, 15))


async def test_any_order_duplication_and_splitting_gives_the_same_sums(world: World) -> None:
    for seed in range(6):
        rng = random.Random(seed)  # noqa: S311 - no secret
        service = await world.add_service()
        events = [
            world.reading(
                f"{seed}/{n}",
                Decimal(rng.randrange(10**9)).scaleb(-rng.randrange(7)).quantize(Decimal("0.000001")),
                subject=service.number,
                meter=rng.choice(["energy", "traffic", "visit"]),
                starts_at=at(2026, 12, 1) + dt.timedelta(minutes=rng.randrange(14 * 1440)),
            )
            for n in range(60)
        ]
        sent = events + rng.choices(events, k=40)
        rng.shuffle(sent)
        batches: list[list[Reading]] = [[] for _ in range(rng.randrange(1, 9))]
        for event in sent:
            rng.choice(batches).append(event)
        stored = [await world.take(*batch) for batch in batches if batch]
        assert sum(receipt.stored for receipt in stored) == 60
        expected: dict[tuple[str, dt.datetime], list[Decimal]] = {}
        for event in events:
            hour = event.starts_at.replace(minute=0)
            expected.setdefault((str(world.components[event.meter]), hour), []).append(Decimal(event.quantity))
        assert await hours(service.id) == [
            (hour, sum(of), max(of), len(of)) for (_, hour), of in sorted(expected.items())
        ]


async def test_the_same_batch_from_eight_at_once_is_stored_once(world: World) -> None:
    batch = [world.reading(n) for n in range(50)]

    async def send(order: int) -> Receipt:
        mine = batch[:]
        random.Random(order).shuffle(mine)  # noqa: S311 - no secret
        return await unit_of_work(world.provider, lambda: take(mine, Origin(), by=world.provider, now=at(2026, 12, 15)))

    receipts = await asyncio.gather(*map(send, range(8)))
    assert sum(receipt.stored for receipt in receipts) == 50
    assert await hours(world.service.id) == [(at(2026, 12, 10, 9), Decimal(75), Decimal("1.5"), 50)]


async def test_usage_of_a_month_on_an_invoice_is_marked_late(world: World) -> None:
    november = Month(2026, 11)
    await world.take(world.reading(1, starts_at=at(2026, 11, 20)), now=at(2026, 11, 21))
    async with acting_as(system("close")):
        await issue(world.agency_id, world.provider_id, november, by=system("close"), now=at(2026, 12, 1, 0, 5))
    await world.take(
        world.reading(2, starts_at=at(2026, 11, 30, 23)),
        world.reading(3, starts_at=at(2026, 12, 1)),
        now=at(2026, 12, 1, 2),
    )
    async with acting_as(system("test")):
        late = await rows("SELECT event_id, is_late FROM usage_event ORDER BY event_id")
        marks = await rows("SELECT service_id, component_id, month, statement_id FROM late_usage")
    assert [(row["event_id"], row["is_late"]) for row in late] == [("1", False), ("2", True), ("3", False)]
    assert [tuple(mark.values()) for mark in marks] == [
        (world.service.id, world.components["energy"], november.first, None)
    ]
