from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import formats
from portal.formats import NotADate, NotANumber

DAY = date(2020, 1, 31)
MOMENT = datetime(2026, 12, 8, 8, 20, tzinfo=UTC)


def test_days_are_written_in_each_register():
    assert formats.date_short(DAY) == "31 ม.ค. 2563"
    assert formats.date_short(DAY, "en") == "31 Jan 2020"
    assert formats.date_long(DAY) == "31 มกราคม 2563"
    assert formats.date_long(DAY, "en") == "31 January 2020"
    assert formats.date_formal(DAY) == "๓๑ มกราคม ๒๕๖๓"
    assert formats.date_numeric(DAY) == "31/01/2563"
    assert formats.date_numeric(DAY, "en") == "31/01/2020"


def test_moments_are_bangkoks():
    assert formats.date_time(MOMENT) == "8 ธ.ค. 2569 15:20 น."
    assert formats.date_time(MOMENT, "en") == "8 Dec 2026 15:20"
    assert formats.clock_time(MOMENT) == "15:20 น."
    assert formats.clock_time(time(8, 0), "en") == "08:00"
    last_utc_moment_of_bangkoks_year = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)
    assert formats.date_short(last_utc_moment_of_bangkoks_year) == "31 ธ.ค. 2569"
    assert formats.date_short(last_utc_moment_of_bangkoks_year + timedelta(seconds=1)) == "1 ม.ค. 2570"


@pytest.mark.parametrize("write", [formats.date_time, formats.date_short, formats.clock_time, formats.month_name])
def test_a_naive_moment_is_refused(write):
    with pytest.raises(ValueError, match="time zone"):
        write(MOMENT.replace(tzinfo=None))


def test_months_and_fiscal_years():
    assert formats.month_name(date(2026, 12, 1)) == "ธันวาคม 2569"
    assert formats.month_name(date(2026, 12, 1), "en") == "December 2026"
    assert formats.month_short(date(2026, 12, 1)) == "ธ.ค. 69"
    assert formats.month_short(date(2026, 12, 1), "en") == "Dec 26"
    assert formats.fiscal_year_name(2570) == "ปีงบประมาณ พ.ศ. 2570"
    assert formats.fiscal_year_name(2570, "en") == "Fiscal year 2570 B.E."


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("25064.51", "25,064.51"),
        ("0", "0.00"),
        ("0.005", "0.01"),
        ("2.675", "2.68"),
        ("-0.005", "−0.01"),
        ("-0.004", "0.00"),
        ("-1253.23", "−1,253.23"),
        ("1083230.03", "1,083,230.03"),
        ("123456789012345678.915", "123,456,789,012,345,678.92"),
    ],
)
def test_amounts_show_both_satang_half_up(amount, written):
    assert formats.baht(Decimal(amount)) == written


def test_differences_carry_their_sign():
    assert formats.signed_baht(Decimal(19500)) == "+19,500.00"
    assert formats.signed_baht(Decimal("-1253.23")) == "−1,253.23"
    assert formats.signed_baht(Decimal("0.001")) == "0.00"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("500.000"), "500"),
        (Decimal("1024.50"), "1,024.5"),
        (Decimal("5E+2"), "500"),
        (Decimal("0.55"), "0.55"),
        (Decimal(-3), "−3"),
        (0, "0"),
        (20000, "20,000"),
    ],
)
def test_quantities_lose_trailing_zeros_only(value, written):
    assert formats.quantity(value) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (1, "day", "1 day"),
        (Decimal("5.00"), "day", "5 days"),
        (0, "day", "0 days"),
        (Decimal("0.5"), "hour", "0.5 hours"),
        (620, "endpoint", "620 endpoints"),
        (8, "address", "8 addresses"),
        (2, "proxy", "2 proxies"),
        (2, "public address", "2 public addresses"),
        (2, "accounts", "2 accounts"),
        (2, "million", "2 million"),
        (500, "Mbps", "500 Mbps"),
        (4, "vCPU", "4 vCPU"),
        (4, "core/month", "4 core/month"),
        (5, "วัน", "5 วัน"),
    ],
)
def test_units_follow_their_number(value, unit, written):
    assert formats.amount_of(value, unit) == written


def test_percentages_and_rates():
    assert formats.percent(Decimal("23.05971")) == "23.06\N{NO-BREAK SPACE}%"
    assert formats.percent(Decimal("99.708"), 3) == "99.708\N{NO-BREAK SPACE}%"
    assert formats.percent(100) == "100.00\N{NO-BREAK SPACE}%"
    assert formats.rate(Decimal("0.07")) == "7\N{NO-BREAK SPACE}%"
    assert formats.rate(Decimal("0.0750")) == "7.5\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    "write", [formats.baht, formats.signed_baht, formats.quantity, formats.percent, formats.baht_in_words]
)
@pytest.mark.parametrize("value", [0.1, "0.1", True, None])
def test_what_is_no_exact_figure_is_refused(write, value):
    with pytest.raises(TypeError, match="Decimal"):
        write(value)


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        formats.baht(Decimal("NaN"))


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("21", "ยี่สิบเอ็ดบาทถ้วน"),
        ("101", "หนึ่งร้อยเอ็ดบาทถ้วน"),
        ("0.25", "ยี่สิบห้าสตางค์"),
        ("26819.03", "สองหมื่นหกพันแปดร้อยสิบเก้าบาทสามสตางค์"),
        ("83151.07", "แปดหมื่นสามพันหนึ่งร้อยห้าสิบเอ็ดบาทเจ็ดสตางค์"),
    ],
)
def test_amounts_in_words(amount, words):
    assert formats.baht_in_words(Decimal(amount)) == words


def test_an_amount_below_zero_has_no_words():
    with pytest.raises(ValueError, match="zero"):
        formats.baht_in_words(Decimal("-0.01"))


@pytest.mark.parametrize(
    ("minutes", "thai", "english"),
    [
        (615, "1 วันทำการ 2 ชม. 15 นาที", "1 working day 2 h 15 min"),
        (960, "2 วันทำการ", "2 working days"),
        (0, "0 นาที", "0 min"),
        (-40, "−40 นาที", "−40 min"),
    ],
)
def test_working_time(minutes, thai, english):
    assert formats.working_time(minutes) == thai
    assert formats.working_time(minutes, "en") == english


def test_elapsed_time_has_whole_days():
    assert formats.elapsed_time(1575) == "1 วัน 2 ชม. 15 นาที"
    assert formats.elapsed_time(2880, "en") == "2 days"
    with pytest.raises(TypeError, match="whole"):
        formats.elapsed_time(1.5)


@pytest.mark.parametrize(
    ("octets", "written"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (999_999, "1 MB"), (4_000_000, "4 MB")],
)
def test_file_sizes(octets, written):
    assert formats.file_size(octets) == written


@pytest.mark.parametrize(
    "text",
    [
        "16/12/2569", "16/12/2026", "16-12-2569", "16.12.2569", "๑๖/๑๒/๒๕๖๙", " 16/12/2569 ",
        "16 ธ.ค. 2569", "16 ธค 2569", "16ธ.ค.2569", "16 ธันวาคม 2569", "16 ธันวาคม พ.ศ. 2569", "๑๖ ธันวาคม ๒๕๖๙",
        "2026-12-16", "2569-12-16", "16 Dec 2026", "16 december 2026",
    ],
)  # fmt: skip
def test_days_are_read_as_people_write_them(text):
    assert formats.parse_date(text) == date(2026, 12, 16)


@pytest.mark.parametrize(
    "text",
    ["", "16/12/69", "31/02/2569", "29/02/2570", "12/31/2569", "16 ธ 2569", "16/12", "ธ.ค. 2569", "0/1/2569",
     "16/12/2200", "1/1/9999", "2026-12-16T00:00", "9" * 500],
)  # fmt: skip
def test_what_names_no_day_is_refused(text):
    with pytest.raises(NotADate):
        formats.parse_date(text)


@given(st.dates(date(1900, 1, 1), date(2156, 12, 31)))
def test_every_way_of_writing_a_day_is_read_back(day):
    for language in ("th", "en"):
        assert formats.parse_date(formats.date_short(day, language)) == day
        assert formats.parse_date(formats.date_long(day, language)) == day
        assert formats.parse_date(formats.date_numeric(day, language)) == day
    assert formats.parse_date(formats.date_formal(day)) == day
    assert formats.parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "number"), [("1,024.5", "1024.5"), ("500", "500"), ("๕๐๐", "500"), ("−3", "-3"), (" 0.50 ", "0.50")]
)
def test_numbers_are_read(text, number):
    assert formats.parse_number(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1e3", "NaN", "1,02", "1.", "0x10", "1_000", "12 3", "9" * 40])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(NotANumber):
        formats.parse_number(text)


@pytest.mark.parametrize(
    ("values", "places", "written"),
    [
        (["0.407", "0.42", "0.4", "12"], 3, ["0.407", "0.420", "0.400", "12.000"]),
        (["500", "1200"], 0, ["500", "1,200"]),
        ([], 0, []),
    ],
)
def test_the_quantities_of_a_column_line_up(values, places, written):
    numbers = [Decimal(value) for value in values]
    assert formats.places_of(numbers) == places
    assert [formats.quantity(number, places) for number in numbers] == written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_quantity_loses_nothing(value):
    assert formats.parse_number(formats.quantity(value)) == value


def test_names_sort_as_in_a_thai_dictionary():
    in_order = ["กรมการปกครอง", "กรมที่ดิน", "กา", "ก่า", "ก้า", "ก้าง", "เก", "เกม", "แก", "โก", "ขา", "ข่า", "เขา"]
    assert sorted(sorted(in_order), key=formats.thai_sort_key) == in_order
    assert sorted(["ขา", "Zeta", "alpha", "๒", "1"], key=formats.thai_sort_key) == ["1", "๒", "alpha", "Zeta", "ขา"]
