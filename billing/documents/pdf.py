"""A document as PDF/A-3 with its e-Tax XML inside, the same bytes each time."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst

from billing.documents.etax import etax_xml
from billing.documents.papers import Paper, Party
from billing.words import baht_in_words, grouped, plain_quantity, printable, thai_day

_TEMPLATE = Path(__file__).with_name("paper.typ")
ATTACHED = "etax.xml"


def pdf(paper: Paper, fonts: Path, *, signed: bool = False) -> bytes:
    """Return the document as PDF; `fonts` is the folder of Sarabun, `signed` leaves the word ตัวอย่าง out.

    A sign that Sarabun lacks is drawn as a square; the XML inside has it. Takes a tenth of a second of a processor:
    call it in a thread. Raises `typst.TypstError` without the font.
    """
    shown, xml = _shown(paper, signed=signed), etax_xml(paper, signed=signed).decode()
    try:
        return _drawn(paper, shown, xml, fonts)
    except typst.TypstError:
        # PDF/A has no place for what cannot be drawn; what was issued is never changed, and must be drawn all the same.
        return _drawn(paper, _printable(shown), xml, fonts)


def _drawn(paper: Paper, shown: dict[str, Any], xml: str, fonts: Path) -> bytes:
    drawn = typst.compile(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        font_paths=[str(fonts)],
        ignore_system_fonts=True,
        sys_inputs={"paper": json.dumps(shown), "xml": xml},
        pdf_standards=["a-3a"],
        timestamp=int(paper.issued_at.timestamp()),
    )
    if not isinstance(drawn, bytes):
        raise TypeError("one document is one file")
    return drawn


def _printable(shown: Any) -> Any:
    match shown:
        case str():
            return printable(shown)
        case list():
            return [_printable(each) for each in shown]
        case dict():
            return {name: _printable(each) for name, each in shown.items()}
        case _:
            return shown


def _shown(paper: Paper, *, signed: bool) -> dict[str, Any]:
    sums = paper.totals
    withholds = paper.withholding_rate is not None or sums.withheld > 0
    rate = f" {plain_quantity(paper.withholding_rate * 100)} %" if paper.withholding_rate else ""
    grand = "จำนวนเงินรวมทั้งสิ้น"
    return {
        "title": paper.title.thai,
        "title_en": paper.title.english,
        "code": paper.title.code,
        "number": paper.number,
        "issued_on": thai_day(paper.issued_on),
        "year": paper.issued_on.year,
        "month": paper.issued_on.month,
        "day": paper.issued_on.day,
        "seller": _party(paper.seller),
        "buyer": _party(paper.buyer),
        "facts": [list(fact) for fact in paper.facts],
        "reason": paper.reason,
        "sections": [
            {
                "heading": section.heading,
                "lines": [
                    [line.name, line.period, f"{plain_quantity(line.quantity)} {line.unit}", grouped(line.amount)]
                    for line in section.lines
                ],
            }
            for section in paper.sections
        ],
        "sums": [
            *_before_vat(paper),
            [f"ภาษีมูลค่าเพิ่ม {plain_quantity(paper.vat_rate * 100)} %", grouped(sums.vat), ""],
            [grand, grouped(sums.total), "strong"],
            *(
                [
                    [f"ภาษีเงินได้หัก ณ ที่จ่าย{rate}", grouped(-sums.withheld), ""],
                    ["ยอดชำระสุทธิ", grouped(sums.net), "strong"],
                ]
                if withholds
                else []
            ),
        ],
        "words": _in_words(sums.total),
        "pay": paper.payment_instructions.splitlines() if sums.net > 0 else [],
        "sample": not signed,
    }


def _before_vat(paper: Paper) -> list[list[str]]:
    """Return what stands above the VAT: a note says what the invoice said, what is right, and the difference.

    One that follows others says besides what they had left.
    """
    if paper.corrects is None:
        return [["รวมเป็นเงิน", grouped(paper.totals.subtotal), ""]]
    corrects = paper.corrects
    return [
        ["มูลค่าตามใบแจ้งหนี้เดิม", grouped(corrects.original), ""],
        *([["มูลค่าก่อนการแก้ไขครั้งนี้", grouped(corrects.before), ""]] if corrects.notes else []),
        ["มูลค่าที่ถูกต้อง", grouped(corrects.right), ""],
        ["ผลต่าง", grouped(paper.totals.subtotal), ""],
    ]


def _party(party: Party) -> dict[str, str]:
    office = "สำนักงานใหญ่" if party.branch == "00000" else f"สาขาที่ {party.branch}"
    return {
        "name": party.name,
        "address": party.address,
        "tax": f"เลขประจำตัวผู้เสียภาษี {party.tax_id} ({office})" if party.tax_id else "",
        "contact": " · ".join(text for text in (party.phone and f"โทร. {party.phone}", party.email) if text),
    }


def _in_words(total: Decimal) -> str:
    """Write what is to be paid; an invoice below zero, of corrections of earlier months alone, gives that back."""
    return baht_in_words(total) if total >= 0 else f"ไม่ต้องชำระ ผู้ให้บริการคืนเงิน{baht_in_words(-total)}"
