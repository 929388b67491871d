from tortoise import migrations
from tortoise.migrations import operations as ops

# Billing learns which add-on each component belongs to; the catalogue alone knows it. The settings let the owner of
# the tables read and write past their forced row-level security.
_ADDONS = """
    SELECT set_config('portal.scope', 'system', true);
    UPDATE meter m SET addon_id = c.addon_id FROM component c WHERE c.id = m.component_id AND c.addon_id IS NOT NULL;
    UPDATE allocation a SET addon_id = c.addon_id
        FROM component c WHERE c.id = a.component_id AND c.addon_id IS NOT NULL;
    SELECT set_config('portal.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0337_addons"), ("services", "0140_counted_by_index")]

    operations = [ops.RunSQL(_ADDONS)]
