"""What ETDA ขมธอ. 3-2560 asks of a document's XML, written down apart from what writes it.

`faults` names whatever breaks a rule: an element out of its order, one too many, one missing or unknown, a code or an
attribute that the standard does not have, an amount that does not add up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

STANDARD: Final = "urn:etda:uncefact:data:standard:"
ROOTS: Final = dict.fromkeys(("380", "388", "T03", "80", "81"), "TaxInvoice") | {"T07": "CancellationNote"}
NAMES: Final = {
    "380": "ใบแจ้งหนี้",
    "388": "ใบกำกับภาษี",
    "T03": "ใบเสร็จรับเงิน/ใบกำกับภาษี",
    "80": "ใบเพิ่มหนี้",
    "81": "ใบลดหนี้",
    "T07": "ใบแจ้งยกเลิก",
}
PURPOSES: Final = {
    "80": {"DBNG01", "DBNG02", "DBNG99", "DBNS01", "DBNS02", "DBNS99"},
    "81": {"CDNG01", "CDNG02", "CDNG03", "CDNG04", "CDNG05", "CDNG99"}
    | {"CDNS01", "CDNS02", "CDNS03", "CDNS04", "CDNS99"},
}
REFERS_TO: Final = {"80": "380", "81": "380", "T07": "T03"}
# How values are written, by how an element's name ends.
FORMS: Final = {
    "Amount": re.compile(r"\d{1,14}\.\d{2}", re.ASCII),
    "DateTime": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{1,3}", re.ASCII),
    "PostcodeCode": re.compile(r"\d{5}", re.ASCII),
}

# Each element's children in their order: 1 is once, ? at most once, * any number, + at least once.
_PARTY = "Name1 SpecifiedTaxRegistration1 DefinedTradeContact? PostalTradeAddress1"
_TAX = "TypeCode1 CalculatedRate? BasisAmount? CalculatedAmount?"
CHILDREN: Final[Mapping[str, str]] = {
    "ExchangedDocumentContext": "GuidelineSpecifiedDocumentContextParameter1",
    "GuidelineSpecifiedDocumentContextParameter": "ID1",
    "ExchangedDocument": "ID1 Name1 TypeCode1 IssueDateTime1 Purpose? PurposeCode? CreationDateTime1 IncludedNote*",
    "IncludedNote": "Subject? Content*",
    "SellerTradeParty": _PARTY,
    "BuyerTradeParty": _PARTY,
    "SpecifiedTaxRegistration": "ID1",
    "DefinedTradeContact": "EmailURIUniversalCommunication?",
    "EmailURIUniversalCommunication": "URIID1",
    "PostalTradeAddress": "PostcodeCode? LineOne? CountryID1",
    "AdditionalReferencedDocument": "IssuerAssignedID1 IssueDateTime? ReferenceTypeCode?",
    "ApplicableHeaderTradeDelivery": "",
    "ApplicableTradeTax": _TAX,
    "SpecifiedTradeAllowanceCharge": "ChargeIndicator1 ActualAmount1 ReasonCode? Reason?",
    "SpecifiedTradePaymentTerms": "Description? DueDateDateTime? TypeCode?",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "OriginalInformationAmount? LineTotalAmount1"
    " DifferenceInformationAmount? AllowanceTotalAmount? ChargeTotalAmount? TaxBasisTotalAmount1 TaxTotalAmount1"
    " GrandTotalAmount1",
    "IncludedSupplyChainTradeLineItem": "AssociatedDocumentLineDocument1 SpecifiedTradeProduct1"
    " SpecifiedLineTradeAgreement1 SpecifiedLineTradeDelivery1 SpecifiedLineTradeSettlement1",
    "AssociatedDocumentLineDocument": "LineID1",
    "SpecifiedTradeProduct": "Name1",
    "SpecifiedLineTradeAgreement": "GrossPriceProductTradePrice1",
    "GrossPriceProductTradePrice": "ChargeAmount1",
    "SpecifiedLineTradeDelivery": "BilledQuantity1",
    "SpecifiedLineTradeSettlement": "ApplicableTradeTax* SpecifiedTradeSettlementLineMonetarySummation1",
    "SpecifiedTradeSettlementLineMonetarySummation": "NetLineTotalAmount1",
}
OF_INVOICES: Final[Mapping[str, str]] = {
    "SupplyChainTradeTransaction": "ApplicableHeaderTradeAgreement1 ApplicableHeaderTradeDelivery1"
    " ApplicableHeaderTradeSettlement1 IncludedSupplyChainTradeLineItem+",
    "ApplicableHeaderTradeAgreement": "SellerTradeParty1 BuyerTradeParty1 AdditionalReferencedDocument*",
    "ApplicableHeaderTradeSettlement": "InvoiceCurrencyCode1 ApplicableTradeTax+ SpecifiedTradeAllowanceCharge*"
    " SpecifiedTradePaymentTerms? SpecifiedTradeSettlementHeaderMonetarySummation1",
}
OF_CANCELLATIONS: Final[Mapping[str, str]] = {
    "SupplyChainTradeTransaction": "ApplicableHeaderTradeAgreement1 ApplicableHeaderTradeSettlement1",
    "ApplicableHeaderTradeAgreement": "SellerTradeParty1 AdditionalReferencedDocument+",
    "ApplicableHeaderTradeSettlement": "",
}
ATTRIBUTES: Final = {
    ("GuidelineSpecifiedDocumentContextParameter", "ID"): {"schemeAgencyID": {"ETDA"}, "schemeVersionID": {"v2.0"}},
    ("SpecifiedTaxRegistration", "ID"): {"schemeID": {"TXID", "OTHR"}},
    ("PostalTradeAddress", "CountryID"): {"schemeID": {"3166-1 alpha-2"}},
    ("ApplicableHeaderTradeSettlement", "InvoiceCurrencyCode"): {"listID": {"ISO 4217 3A"}},
    ("SpecifiedLineTradeDelivery", "BilledQuantity"): {"unitCode": {"EA"}},
}


@dataclass(frozen=True, slots=True)
class Sums:
    """What a document's XML adds up to, in baht."""

    subtotal: Decimal
    vat: Decimal
    total: Decimal


def parsed(xml: bytes) -> ET.Element:
    """Return the root; a document that is not well-formed fails here."""
    return ET.fromstring(xml)  # noqa: S314 - our own


def found(root: ET.Element, path: str) -> list[ET.Element]:
    """Return the elements at a path of plain names, whatever their namespace."""
    return root.findall("/".join(f"{{*}}{name}" for name in path.split("/")))


def text(root: ET.Element, path: str) -> str:
    """Return the one text at a path."""
    [element] = found(root, path)
    return element.text or ""


def sums_of(root: ET.Element) -> Sums:
    """Return what the document says it comes to."""
    at = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/SpecifiedTradeSettlementHeaderMonetarySummation/"
    return Sums(
        *(Decimal(text(root, at + name)) for name in ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount"))
    )


def faults(xml: bytes) -> list[str]:
    """Name every rule of the standard that the document breaks."""
    root = parsed(xml)
    code = text(root, "ExchangedDocument/TypeCode")
    if code not in ROOTS:
        return [f"no TypeCode {code}"]
    wrong = _spaces(root, ROOTS[code])
    rules = CHILDREN | (OF_CANCELLATIONS if code == "T07" else OF_INVOICES)
    wrong += _order(root, "ExchangedDocumentContext1 ExchangedDocument1 SupplyChainTradeTransaction1")
    for element in list(root.iter())[1:]:
        name = _local(element)
        wrong += _order(element, rules.get(name, "")) + _value(element)
    wrong += _document(root, code)
    return wrong if code == "T07" else wrong + _sums(root, code)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _spaces(root: ET.Element, kind: str) -> list[str]:
    message = f"{STANDARD}{kind}_CrossIndustryInvoice:2"
    parts = f"{STANDARD}{kind}_ReusableAggregateBusinessInformationEntity:2"
    wrong = [] if root.tag == f"{{{message}}}{kind}_CrossIndustryInvoice" else [f"root {root.tag}"]
    outer = set(root)
    return wrong + [
        f"namespace of {each.tag}"
        for each in list(root.iter())[1:]
        if not each.tag.startswith(f"{{{message if each in outer else parts}}}")
    ]


def _order(element: ET.Element, rule: str) -> list[str]:
    pattern = "".join(
        f"(?:{name}, ){ {'1': '', '?': '?', '*': '*', '+': '+'}[name_and[-1]] }"
        for name_and in rule.split()
        for name in (name_and[:-1],)
    )
    have = "".join(f"{_local(child)}, " for child in element)
    return [] if re.fullmatch(pattern, have) else [f"{_local(element)}: {have or 'nothing'}"]


def _value(element: ET.Element) -> list[str]:
    name, value = _local(element), (element.text or "").strip()
    wrong = [f"{name} has text"] if len(element) and value else []
    if any(name.endswith(kind) and not form.fullmatch(value) for kind, form in FORMS.items()):
        wrong.append(f"{name} is {value}")
    wrong += [
        f"{name}/{child} has {each.attrib}"
        for (parent, child), allowed in ATTRIBUTES.items()
        for each in (element.findall(f"{{*}}{child}") if name == parent else ())
        if set(each.attrib) != set(allowed) or any(each.get(key) not in values for key, values in allowed.items())
    ]
    if element.attrib and name not in {child for _, child in ATTRIBUTES}:
        wrong.append(f"{name} has attributes")
    number = element.find("{*}ID") if name == "SpecifiedTaxRegistration" else None
    if number is not None and number.get("schemeID") == "TXID" and not re.fullmatch(r"\d{18}", number.text or ""):
        wrong.append(f"TXID {number.text} has not 13 + 5 digits")
    return wrong


def _document(root: ET.Element, code: str) -> list[str]:
    wrong = []
    if text(root, "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID") != "ER3-2560":
        wrong.append("guideline")
    if text(root, "ExchangedDocument/Name") != NAMES[code]:
        wrong.append(f"{code} is no {text(root, 'ExchangedDocument/Name')}")
    seller = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty"
    [tax_id] = found(root, f"{seller}/SpecifiedTaxRegistration/ID")
    if tax_id.get("schemeID") != "TXID" or not text(root, f"{seller}/Name"):
        wrong.append("the seller is not named")
    purposes = [each.text for each in found(root, "ExchangedDocument/PurposeCode")]
    if code in PURPOSES and (len(purposes) != 1 or purposes[0] not in PURPOSES[code]):
        wrong.append(f"PurposeCode {purposes}")
    if code not in PURPOSES and purposes:
        wrong.append(f"PurposeCode {purposes}")
    if any(str(each).endswith("99") for each in purposes) and not text(root, "ExchangedDocument/Purpose"):
        wrong.append("PurposeCode 99 without Purpose")
    at = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/AdditionalReferencedDocument/ReferenceTypeCode"
    referred = [each.text for each in found(root, at)]
    # A note may name, after the invoice, the notes before it.
    earlier = referred[1:] if code in {"80", "81"} and set(referred[1:]) <= {"80", "81"} else []
    if referred != ([REFERS_TO[code], *earlier] if code in REFERS_TO else []):
        wrong.append(f"{code} refers to {referred}")
    return wrong


def _sums(root: ET.Element, code: str) -> list[str]:
    settlement = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
    summation = f"{settlement}/SpecifiedTradeSettlementHeaderMonetarySummation"

    def amount(path: str) -> Decimal:
        return sum((Decimal(each.text or "") for each in found(root, path)), Decimal("0.00"))

    lines = amount(
        "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem/SpecifiedLineTradeSettlement"
        "/SpecifiedTradeSettlementLineMonetarySummation/NetLineTotalAmount"
    )
    basis, vat = amount(f"{summation}/TaxBasisTotalAmount"), amount(f"{summation}/TaxTotalAmount")
    allowance = amount(f"{summation}/AllowanceTotalAmount")
    checks = {
        "basis + tax = grand total": basis + vat == amount(f"{summation}/GrandTotalAmount"),
        "the tax's basis": basis == amount(f"{settlement}/ApplicableTradeTax/BasisAmount"),
        "the tax's amount": vat == amount(f"{settlement}/ApplicableTradeTax/CalculatedAmount"),
        "allowances": allowance == amount(f"{settlement}/SpecifiedTradeAllowanceCharge/ActualAmount"),
    }
    if code in {"80", "81"}:
        original, difference = (amount(f"{summation}/{each}InformationAmount") for each in ("Original", "Difference"))
        right = original + difference if code == "80" else original - difference
        checks |= {
            "lines = difference": lines == difference == basis,
            "original ± difference": right == amount(f"{summation}/LineTotalAmount"),
        }
    else:
        checks |= {
            "lines add up": lines == amount(f"{summation}/LineTotalAmount"),
            "lines − allowances = basis": lines - allowance == basis,
        }
    return [what for what, holds in checks.items() if not holds]
