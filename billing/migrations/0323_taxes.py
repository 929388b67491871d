from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import ORGANISATION

# General rates are the central agency's to set; a provider sets what is withheld from itself, as before.
_GENERAL = f"""
    CREATE POLICY central ON tax_rate
        USING (provider_id IS NULL AND EXISTS (
            SELECT FROM organisation o WHERE o.id = {ORGANISATION} AND o.kind = 'central'))
        WITH CHECK (provider_id IS NULL AND EXISTS (
            SELECT FROM organisation o WHERE o.id = {ORGANISATION} AND o.kind = 'central'));
    ALTER TABLE tax_rate ADD CONSTRAINT tax_rate_vat_is_general CHECK (kind <> 'vat' OR provider_id IS NULL);
    ALTER TABLE tax_rate ADD CONSTRAINT tax_rate_fraction CHECK (rate >= 0 AND rate < 1);
    -- The model's own key lets two general rates begin on one day: to it, no provider differs from no provider.
    CREATE UNIQUE INDEX tax_rate_once_a_day ON tax_rate (kind, provider_id, effective_from) NULLS NOT DISTINCT;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0322_ledger")]

    operations = [ops.RunSQL(_GENERAL)]
