"""Bills over many months, every figure worked out by hand beside it; at each story's end nothing differs.

Prices: internet 85.00 up to 100 Mbps, 65.00 up to 500; endpoints 65.00 up to 500, 55.00 up to 2,000; SOC 20.00 up to
500 EPS, 16.00 up to 2,000; vCPU 0.55 and GiB 0.20 an hour, SSD 3.20 a GB and month. 200 Mbps come to 15,000.00 a month,
620 endpoints to 39,100.00, 800 EPS to 14,800.00: 68,900.00 in all.
"""

import datetime as dt
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.queries import budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.months import Month
from billing.statements.queries import book_of
from billing.tariffs.commands import set_price
from billing.tariffs.models import TaxKind
from billing.tariffs.rules import Tier
from billing.tariffs.taxes import announce_rate
from services.subscriptions.commands import announce_end, open_subscription, set_quantities
from tests.billing.documents.december import FINANCE, paid
from tests.scenarios.accounts import baht, closed_for, lines_of, nothing_differs, standing, sums
from tests.stage import Stage, at, close_months

D = Decimal


async def quantity(stage: Stage, letter: str, code: str, amounts: dict[str, str], since: dt.datetime) -> None:
    async with acting_as(system("test")):
        await set_quantities(
            stage.services[letter, code].id, stage.catalogue.quantities(code, amounts), since, origin="คำร้อง"
        )


async def test_a_price_falls_in_mid_month_and_a_correction_follows(stage: Stage) -> None:
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    manager = stage.cast["manager"]
    async with acting_as(manager):
        item = stage.component("GI", "bandwidth").price_item
        tiers = (Tier(D(100), D("80.00")), Tier(None, D("60.00")))
        await set_price(item, tiers, dt.date(2026, 12, 11), by=manager, now=at("2026-12-01"))
    december = await closed_for(stage, "a", Month(2026, 12))
    internet = stage.services["a", "GI"].id
    # 15,000 × 10 ÷ 31 = 4,838.7096…; 100 × 80 + 100 × 60 = 14,000 × 21 ÷ 31 = 9,483.8709…
    assert lines_of(december, internet) == [(1, 10, D("4838.71")), (11, 31, D("9483.87"))]
    # 14,322.58 + 39,100 + 14,800 = 68,222.58; 7 % is 4,775.5806; 1 % is 682.2258.
    assert sums(december) == baht("68,222.58", "4,775.58", "72,998.16", "682.23", "72,315.93")
    january = await closed_for(stage, "a", Month(2027, 1))
    assert sums(january)[:3] == baht("67,900.00", "4,753.00", "72,653.00")
    # Both halves keep since when their price holds; the invoices before stand at the old price.
    since = [line.derivation["effective_from"] for line in december.lines if line.service_id == internet]
    assert since == ["2024-10-01", "2026-12-11"]
    november = await standing(stage.agency("a"), stage.provider, Month(2026, 11))
    assert sums(november)[0] == D("68900.00")
    # A credit note for a day too many of the dearer price: 15,000 − 14,000 = 1,000 ÷ 31 = 32.258… → 32.26; VAT 2.26.
    line = Correction("คิดราคาเดิมเกินหนึ่งวัน", "A day too many at the old price", D("32.26"))
    assert december.statement_id is not None
    note = await stage.as_(
        FINANCE, correct, december.statement_id, Kind.CREDIT_NOTE, [line], reason="คิดเกินหนึ่งวัน", now=at("2027-02-03")
    )
    assert (note.vat, note.total) == baht("2.26", "34.52")
    books = await nothing_differs(stage.provider)
    # 2 × 73,723.00 + 72,998.16 + 72,653.00 − 34.52
    assert books["RECEIVABLE"] == D("293062.64")
    assert books["TAKEN_BACK"] == D("32.26")


async def test_what_is_cancelled_and_ordered_again_is_paid_for_its_days_alone(stage: Stage) -> None:
    async with acting_as(system("test")):
        ended = stage.services["a", "EP"].id
        await announce_end(ended, dt.date(2026, 12, 10), at("2026-12-11", "00:00"), now=at("2026-12-01"))
        again = await open_subscription(
            stage.agency("a"),
            stage.catalogue.offerings["EP"],
            stage.catalogue.quantities("EP", {"endpoint": "300"}),
            label="สั่งใหม่",
            starts_at=at("2026-12-20", "08:00"),
            origin="คำร้อง",
            now=at("2026-12-15"),
        )
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    december = await closed_for(stage, "a", Month(2026, 12))
    # 39,100 × 10 ÷ 31 = 12,612.9032…; 300 × 65 = 19,500 × 12 ÷ 31 (the 20th counts whole) = 7,548.3870…
    assert lines_of(december, ended) == [(1, 10, D("12612.90"))]
    assert lines_of(december, again.id) == [(20, 31, D("7548.39"))]
    # 15,000 + 14,800 + 20,161.29 = 49,961.29; VAT 3,497.2903; withheld 499.6129.
    assert sums(december) == baht("49,961.29", "3,497.29", "53,458.58", "499.61", "52,958.97")
    january = await closed_for(stage, "a", Month(2027, 1))
    assert lines_of(january, ended) == []
    assert lines_of(january, again.id) == [(1, 31, D("19500.00"))]
    # Paid in two parts; the receipts bear the whole VAT: 3,497.29 × 20,000 ÷ 53,458.58 = 1,308.4111…
    assert december.statement_id is not None
    first = await paid(stage, december.statement_id, "20000.00")
    second = await paid(stage, december.statement_id, "32958.97", "499.61")
    assert (first.vat, second.vat) == baht("1,308.41", "2,188.88")
    books = await nothing_differs(stage.provider)
    assert (books["CASH"], books["WITHHELD"], books["OUTPUT_VAT"]) == baht("52,958.97", "499.61", "-3,497.29")


async def test_february_has_twenty_eight_days_and_in_2028_twenty_nine(stage: Stage) -> None:
    for day in ("2027-02-28", "2028-02-29"):
        await quantity(stage, "a", "SC", {"eps": "500"}, at(day, "00:00"))
        await quantity(stage, "a", "SC", {"eps": "800"}, at(day[:4] + "-03-01", "00:00"))
    soc = stage.services["a", "SC"].id
    short = await closed_for(stage, "a", Month(2027, 2))
    # 14,800 × 27 ÷ 28 = 14,271.4285…; 500 × 20 = 10,000 ÷ 28 = 357.1428…
    assert lines_of(short, soc) == [(1, 27, D("14271.43")), (28, 28, D("357.14"))]
    leap = await closed_for(stage, "a", Month(2028, 2))
    # 14,800 × 28 ÷ 29 = 14,289.6551…; 10,000 ÷ 29 = 344.8275…
    assert lines_of(leap, soc) == [(1, 28, D("14289.66")), (29, 29, D("344.83"))]
    # By the hour: 672 and 696 hours of 8 vCPU and 32 GiB; 500 GB SSD by the month, whatever its length.
    machine = stage.services["b", "VM"].id
    bills = [await closed_for(stage, "b", Month(year, 2)) for year in (2027, 2028)]
    amounts = [sorted(amount for _, _, amount in lines_of(bill, machine)) for bill in bills]
    # 8 × 0.55 × 672 = 2,956.80; 32 × 0.20 × 672 = 4,300.80; 500 × 3.20 = 1,600.00
    assert amounts[0] == [*baht("1,600.00", "2,956.80", "4,300.80")]
    # 8 × 0.55 × 696 = 3,062.40; 32 × 0.20 × 696 = 4,454.40
    assert amounts[1] == [*baht("1,600.00", "3,062.40", "4,454.40")]
    await nothing_differs(stage.provider)


async def test_a_fiscal_year_ends_and_numbers_and_budget_begin_anew(stage: Stage) -> None:
    august, september, october = Month(2027, 8), Month(2027, 9), Month(2027, 10)
    for month in (august, september, october):
        bill = await closed_for(stage, "a", month)
        assert sums(bill) == baht("68,900.00", "4,823.00", "73,723.00", "689.00", "73,034.00")
    numbers = [(await standing(stage.agency("a"), stage.provider, m)).number for m in (august, september, october)]
    # September's invoice is issued on 1 October and still counts in the year it is for.
    assert numbers == ["INV-P01-2570-00001", "INV-P01-2570-00002", "INV-P01-2571-00001"]
    late = await standing(stage.agency("a"), stage.provider, september)
    assert late.statement_id is not None
    assert late.issued_at is not None
    assert Month.of(late.issued_at) == october
    # Its receipt is a document of the new year.
    receipt = await paid(stage, late.statement_id, "73034.00", "689.00", on=at("2027-10-20"))
    assert receipt.number == "RC-P01-2571-00001"
    async with acting_as(stage.cast["finance-a"]):
        for name, spent in ((2570, "147,446.00"), (2571, "73,723.00")):
            year = FiscalYear(name)
            book = await book_of(stage.agency("a"), year.months[0], year.months[-1])
            view = year_view(book, year, await budget_of(stage.agency("a"), year))
            assert (view.spent,) == baht(spent)
    books = await nothing_differs(stage.provider)
    assert books["RECEIVABLE"] == D("147446.00")


async def test_vat_rises_in_january_and_withholding_in_february(stage: Stage) -> None:
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    central, finance = stage.cast["central"], stage.cast[FINANCE]
    async with acting_as(central):
        await announce_rate(TaxKind.VAT, D("0.10"), dt.date(2027, 1, 16), by=central, now=at("2026-12-10"))
    async with acting_as(finance):
        await announce_rate(TaxKind.WITHHOLDING, D("0.015"), dt.date(2027, 2, 1), by=finance, now=at("2026-12-10"))
    december, january, february = [await closed_for(stage, "a", Month(*m)) for m in ((2026, 12), (2027, 1), (2027, 2))]
    assert sums(december) == baht("68,900.00", "4,823.00", "73,723.00", "689.00", "73,034.00")
    # A month is billed at the rate of its last day: 10 % on the whole of January.
    assert sums(january) == baht("68,900.00", "6,890.00", "75,790.00", "689.00", "75,101.00")
    assert sums(february) == baht("68,900.00", "6,890.00", "75,790.00", "1,033.50", "74,756.50")
    # What follows an invoice keeps the invoice's rate, however late: 7 % of 1,000.00 and of the receipt.
    assert december.statement_id is not None
    line = Correction("คิดขาด", "Charged too little", D("1000.00"))
    note = await stage.as_(
        FINANCE, correct, december.statement_id, Kind.DEBIT_NOTE, [line], reason="คิดขาดไป", now=at("2027-03-05")
    )
    assert (note.vat_rate, note.vat, note.total) == (D("0.07"), D("70.00"), D("1070.00"))
    receipt = await paid(stage, december.statement_id, "74094.00", "699.00", on=at("2027-03-06"))
    assert (receipt.subtotal, receipt.vat, receipt.total) == baht("69,900.00", "4,893.00", "74,793.00")
    books = await nothing_differs(stage.provider)
    # 4,823.00 each of October and November, 6,890.00 each of January and February wait for their payment.
    assert (books["OUTPUT_VAT"], books["VAT_NOT_DUE"]) == baht("-4,893.00", "-23,426.00")
    assert (books["ADDED"], books["WITHHELD"]) == baht("-1,000.00", "699.00")
