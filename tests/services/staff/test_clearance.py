"""Who may be given work: all three demands in force, each for as long as its longest record."""

import datetime as dt
from dataclasses import dataclass

import pytest

from services.staff.rules import Field, Kind, clearance

TODAY = dt.date(2026, 12, 8)


@dataclass(frozen=True)
class Record:
    kind: Kind
    field: Field | None = None
    held_from: dt.date = dt.date(2026, 1, 1)
    held_until: dt.date | None = None


WHOLE = [Record(Kind.CERTIFICATE, Field.CLOUD), Record(Kind.RECORD_CHECK), Record(Kind.NDA)]


def test_all_three_make_it_whole() -> None:
    stands = clearance(WHOLE, TODAY)
    assert (stands.is_whole, stands.until, stands.fields) == (True, None, {Field.CLOUD})
    assert clearance([], TODAY).missing == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_one_that_is_missing_lapsed_or_still_to_come_is_enough(kind: Kind) -> None:
    others = [each for each in WHOLE if each.kind is not kind]
    yesterday, tomorrow = TODAY - dt.timedelta(1), TODAY + dt.timedelta(1)
    for more in ([], [Record(kind, held_until=yesterday)], [Record(kind, held_from=tomorrow)]):
        assert clearance([*others, *more], TODAY).missing == {kind}
    assert clearance([*others, Record(kind, held_until=TODAY)], TODAY).is_whole


def test_the_longest_of_several_counts_and_the_first_to_end_decides() -> None:
    held = [
        *WHOLE[1:],
        Record(Kind.CERTIFICATE, Field.NETWORK, held_until=dt.date(2026, 12, 20)),
        Record(Kind.CERTIFICATE, Field.CLOUD, held_until=dt.date(2027, 2, 1)),
    ]
    stands = clearance(held, TODAY)
    assert (stands.until, stands.ends_soon(TODAY)) == (dt.date(2027, 2, 1), False)
    assert clearance(held, dt.date(2027, 1, 2)).ends_soon(dt.date(2027, 1, 2))
    assert clearance(held, dt.date(2027, 1, 2)).fields == {Field.CLOUD}
