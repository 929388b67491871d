from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, PROVIDER, append_only, belongs, key, secured

# A receipt and its cancellation both stand for a payment, each once.
_CANCELLED = """
    ALTER TABLE document DROP CONSTRAINT document_receipt_of_payment;
    ALTER TABLE document ADD CONSTRAINT document_of_payment CHECK (
        (kind IN ('receipt', 'cancellation')) = (payment_id IS NOT NULL));
    DROP INDEX document_one_receipt;
    CREATE UNIQUE INDEX document_one_of_payment ON document (agency_id, payment_id, kind) WHERE payment_id IS NOT NULL;
    ALTER TABLE payment_reversal ADD CONSTRAINT payment_reversal_said_why CHECK (reason <> '');
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0320_reversals")]

    operations = [
        # Its provider writes it, its agency reads it.
        ops.RunSQL(
            secured(
                "payment_reversal",
                member=f"provider_id = {PROVIDER}",
                read=f"agency_id = {AGENCY}",
                grant="SELECT, INSERT",
            )
            + key("payment_reversal")
        ),
        ops.RunSQL(belongs("payment_reversal", "payment_id", "payment")),
        ops.RunSQL(append_only("payment_reversal")),
        ops.RunSQL(_CANCELLED),
    ]
