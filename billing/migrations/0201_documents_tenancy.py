from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, ORGANISATION, PROVIDER, append_only, belongs, key, secured


def written_by_provider(table: str, *, grant: str) -> str:
    """Secure a table that its provider writes and its agency reads."""
    return secured(table, member=f"provider_id = {PROVIDER}", read=f"agency_id = {AGENCY}", grant=grant) + key(table)


_AMOUNTS = """
    ALTER TABLE credit ADD CONSTRAINT credit_gives CHECK (amount > 0);
    ALTER TABLE payment ADD CONSTRAINT payment_of_something CHECK (received >= 0 AND withheld >= 0 AND received + withheld > 0);
    ALTER TABLE payment ADD CONSTRAINT payment_withheld_certified CHECK (withheld = 0 OR certificate_number <> '');
    ALTER TABLE document ADD CONSTRAINT document_adds_up CHECK (
        total = subtotal + vat AND net = total - withheld AND subtotal >= 0 AND vat >= 0 AND withheld >= 0);
    ALTER TABLE document ADD CONSTRAINT document_receipt_of_payment CHECK ((kind = 'receipt') = (payment_id IS NOT NULL));
    CREATE UNIQUE INDEX document_one_receipt ON document (agency_id, payment_id) WHERE payment_id IS NOT NULL;
    ALTER TABLE billing_policy ADD CONSTRAINT billing_policy_sensible CHECK (
        due_days BETWEEN 0 AND 365 AND note_share >= 0 AND note_amount >= 0);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0200_documents")]

    operations = [
        ops.RunSQL(written_by_provider("credit", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("credit", "service_id", "billed_service")),
        ops.RunSQL(written_by_provider("statement_review", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("statement_review")),
        ops.RunSQL(written_by_provider("payment", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("payment", "statement_id", "statement")),
        ops.RunSQL(append_only("payment")),
        ops.RunSQL(written_by_provider("document", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("document", "statement_id", "statement")),
        ops.RunSQL(belongs("document", "payment_id", "payment")),
        ops.RunSQL(append_only("document")),
        ops.RunSQL(
            secured(
                "billing_policy",
                member=f"provider_id = {PROVIDER}",
                read=f"{ORGANISATION} IS NOT NULL",
                grant="SELECT, INSERT, UPDATE",
            )
        ),
        ops.RunSQL(_AMOUNTS),
    ]
