"""A document as e-Tax XML (ETDA ขมธอ. 3-2560): as it is signed, or as a sample that says so.

Invoices, receipts and notes have one root; the cancellation of a receipt has a root and a namespace of its own, and
names what it cancels instead of repeating its figures.
"""

import re
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

from billing.documents.papers import Paper, PaperLine, Party, Referred
from billing.months import BANGKOK, midnight

RSM: Final = "urn:etda:uncefact:data:standard:TaxInvoice_CrossIndustryInvoice:2"
RAM: Final = "urn:etda:uncefact:data:standard:TaxInvoice_ReusableAggregateBusinessInformationEntity:2"
CANCELLATION: Final = "T07"
# Why a note was issued, by its type: services, another reason (which stands in Purpose).
_PURPOSE: Final = {"81": "CDNS99", "80": "DBNS99"}
_SAMPLE: Final = "ตัวอย่าง", "เอกสารตัวอย่าง ยังไม่ลงลายมือชื่อดิจิทัล"
_POSTCODE: Final = re.compile(r"(?<!\d)\d{5}$", re.ASCII)
_NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no reader would take the file
_WHEN: Final = "%Y-%m-%dT%H:%M:%S.0"

_TAX_INVOICE: Final = "TaxInvoice_"
_CANCELLATION: Final = "CancellationNote_"

ET.register_namespace("rsm", RSM)
ET.register_namespace("ram", RAM)


def etax_xml(paper: Paper, *, signed: bool = False) -> bytes:
    """Return the document as XML in UTF-8, the same bytes each time; `signed` leaves the word ตัวอย่าง out."""
    kind = _CANCELLATION if paper.title.code == CANCELLATION else _TAX_INVOICE
    root = ET.Element(f"{{{RSM}}}{kind}CrossIndustryInvoice")
    context = _rsm(root, "ExchangedDocumentContext")
    guideline = _ram(context, "GuidelineSpecifiedDocumentContextParameter")
    _ram(guideline, "ID", "ER3-2560", schemeAgencyID="ETDA", schemeVersionID="v2.0")
    _document(_rsm(root, "ExchangedDocument"), paper, signed=signed)
    trade = _rsm(root, "SupplyChainTradeTransaction")
    _agreement(_ram(trade, "ApplicableHeaderTradeAgreement"), paper)
    if kind == _CANCELLATION:
        _ram(trade, "ApplicableHeaderTradeSettlement")
    else:
        _ram(trade, "ApplicableHeaderTradeDelivery")
        _settlement(_ram(trade, "ApplicableHeaderTradeSettlement"), paper)
        for place, line in enumerate(_charged(paper), 1):
            _line(_ram(trade, "IncludedSupplyChainTradeLineItem"), place, line, paper.vat_rate)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    # Prefixes are known to the whole process: the namespaces of the kind are put where they are declared.
    declared, rest = text.split(">", 1)
    declared = declared.replace(_TAX_INVOICE, kind)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{declared}>{rest}\n'.encode()


def _document(into: ET.Element, paper: Paper, *, signed: bool) -> None:
    _ram(into, "ID", paper.number)
    _ram(into, "Name", paper.title.thai)
    _ram(into, "TypeCode", paper.title.code)
    issued = paper.issued_at.astimezone(BANGKOK).strftime(_WHEN)
    _ram(into, "IssueDateTime", issued)
    if paper.reason:
        _ram(into, "Purpose", paper.reason)
    if paper.title.code in _PURPOSE:
        _ram(into, "PurposeCode", _PURPOSE[paper.title.code])
    _ram(into, "CreationDateTime", issued)
    if not signed:
        sample = _ram(into, "IncludedNote")
        for name, text in zip(("Subject", "Content"), _SAMPLE, strict=True):
            _ram(sample, name, text)


def _agreement(into: ET.Element, paper: Paper) -> None:
    _party(_ram(into, "SellerTradeParty"), paper.seller)
    if paper.title.code != CANCELLATION:
        _party(_ram(into, "BuyerTradeParty"), paper.buyer)
    for each in (paper.corrects.invoice, *paper.corrects.notes) if paper.corrects else ():
        _refers(into, each)
    if paper.cancels:
        _refers(into, paper.cancels)


def _refers(into: ET.Element, to: Referred) -> None:
    referred = _ram(into, "AdditionalReferencedDocument")
    _ram(referred, "IssuerAssignedID", to.number)
    _ram(referred, "IssueDateTime", to.issued_at.astimezone(BANGKOK).strftime(_WHEN))
    _ram(referred, "ReferenceTypeCode", to.code)


def _party(into: ET.Element, party: Party) -> None:
    _ram(into, "Name", party.name)
    registration = _ram(into, "SpecifiedTaxRegistration")
    if party.tax_id:
        _ram(registration, "ID", party.tax_id + party.branch, schemeID="TXID")
    else:
        _ram(registration, "ID", "N/A", schemeID="OTHR")
    if party.email:
        contact = _ram(into, "DefinedTradeContact")
        _ram(_ram(contact, "EmailURIUniversalCommunication"), "URIID", party.email)
    address = _ram(into, "PostalTradeAddress")
    if postcode := _POSTCODE.search(party.address.strip()):
        _ram(address, "PostcodeCode", postcode[0])
    if party.address:
        _ram(address, "LineOne", party.address)
    _ram(address, "CountryID", "TH", schemeID="3166-1 alpha-2")


def _settlement(into: ET.Element, paper: Paper) -> None:
    sums = paper.totals
    _ram(into, "InvoiceCurrencyCode", "THB", listID="ISO 4217 3A")
    tax = _ram(into, "ApplicableTradeTax")
    _ram(tax, "TypeCode", "VAT")
    _ram(tax, "CalculatedRate", f"{paper.vat_rate * 100:.2f}")
    _ram(tax, "BasisAmount", _baht(sums.subtotal))
    _ram(tax, "CalculatedAmount", _baht(sums.vat))
    for line in paper.lines:
        if line.amount < 0:
            allowance = _ram(into, "SpecifiedTradeAllowanceCharge")
            _ram(allowance, "ChargeIndicator", "false")
            _ram(allowance, "ActualAmount", _baht(-line.amount))
            _ram(allowance, "Reason", line.name)
    if paper.due_on:
        terms = _ram(into, "SpecifiedTradePaymentTerms")
        _ram(terms, "DueDateDateTime", midnight(paper.due_on).strftime(_WHEN))
    summation = _ram(into, "SpecifiedTradeSettlementHeaderMonetarySummation")
    line_total = sum((line.amount for line in _charged(paper)), Decimal("0.00"))
    if paper.corrects:
        line_total = paper.corrects.right
        _ram(summation, "OriginalInformationAmount", _baht(paper.corrects.before))
    _ram(summation, "LineTotalAmount", _baht(line_total))
    if paper.corrects:
        _ram(summation, "DifferenceInformationAmount", _baht(sums.subtotal))
    elif line_total != sums.subtotal:
        _ram(summation, "AllowanceTotalAmount", _baht(line_total - sums.subtotal))
    _ram(summation, "TaxBasisTotalAmount", _baht(sums.subtotal))
    _ram(summation, "TaxTotalAmount", _baht(sums.vat))
    _ram(summation, "GrandTotalAmount", _baht(sums.total))


def _line(into: ET.Element, place: int, line: PaperLine, vat_rate: Decimal) -> None:
    _ram(_ram(into, "AssociatedDocumentLineDocument"), "LineID", str(place))
    product = _ram(into, "SpecifiedTradeProduct")
    _ram(product, "Name", line.name)
    agreement = _ram(into, "SpecifiedLineTradeAgreement")
    price = _ram(agreement, "GrossPriceProductTradePrice")
    # A line may have several tiers and part of a month: its price is the line's, for one.
    _ram(price, "ChargeAmount", _baht(line.amount))
    _ram(_ram(into, "SpecifiedLineTradeDelivery"), "BilledQuantity", "1", unitCode="EA")
    settlement = _ram(into, "SpecifiedLineTradeSettlement")
    tax = _ram(settlement, "ApplicableTradeTax")
    _ram(tax, "TypeCode", "VAT")
    _ram(tax, "CalculatedRate", f"{vat_rate * 100:.2f}")
    summation = _ram(settlement, "SpecifiedTradeSettlementLineMonetarySummation")
    _ram(summation, "NetLineTotalAmount", _baht(line.amount))


def _charged(paper: Paper) -> list[PaperLine]:
    """Return the lines that charge something; the others are allowances."""
    return [line for line in paper.lines if line.amount >= 0]


def _baht(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _rsm(into: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(into, f"{{{RSM}}}{name}")


def _ram(into: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    made = ET.SubElement(into, f"{{{RAM}}}{name}", attributes)
    if text:
        made.text = _NOT_IN_XML.sub("", text)
    return made
