import enum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, money, primary_key, rate


class Kind(enum.StrEnum):
    """What a document is; the invoice itself is the statement."""

    RECEIPT = "receipt"  # ใบเสร็จรับเงิน/ใบกำกับภาษี
    CREDIT_NOTE = "credit_note"  # ใบลดหนี้
    DEBIT_NOTE = "debit_note"  # ใบเพิ่มหนี้
    CANCELLATION = "cancellation"  # ใบแจ้งยกเลิก, of a receipt


class Document(Model):
    """What follows an invoice: the receipt of a payment, its cancellation, or a note that corrects it; never changed.

    Amounts are positive whatever the kind; a cancellation bears those of the receipt it cancels. `lines` are
    {name_th, name_en, amount}, before VAT. A note that follows others keeps in `after` what they left:
    {subtotal, notes: [{kind, number, issued_at}]}; first notes, and those issued before this was kept, have None.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    statement_id = fields.UUIDField()
    payment_id = fields.UUIDField(null=True)
    kind = fields.CharEnumField(Kind, max_length=16)
    number = fields.CharField(max_length=32)
    fiscal_year = fields.IntField()
    reason = fields.TextField(default="")
    lines = DocumentField()
    after = DocumentField(null=True)
    subtotal = money()
    vat_rate = rate()
    vat = money()
    total = money()
    withheld = money()
    net = money()
    parties = DocumentField()
    issued_at = InstantField()
    issued_by = fields.CharField(max_length=200)

    class Meta:
        table = "document"
        unique_together = (("provider_id", "number"),)
        indexes = [
            Index(fields=("agency_id", "statement_id"), name="document_statement"),
            Index(fields=("agency_id", "issued_at"), name="document_agency"),
            Index(fields=("agency_id", "payment_id"), name="document_payment"),
            Index(fields=("provider_id", "issued_at"), name="document_provider_issued"),
        ]
