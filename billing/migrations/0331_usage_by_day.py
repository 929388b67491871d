from tortoise import migrations
from tortoise.migrations import operations as ops

# A page of costs reads all that an agency used in some months. By day it lies in one stretch, read at once however many
# services there are; by service each of them was looked for by itself.
_BY_DAY = """
    ALTER TABLE usage_day DROP CONSTRAINT usage_day_pkey,
        ADD PRIMARY KEY (agency_id, day, service_id, component_id);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0330_unsummed_usage")]

    operations = [ops.RunSQL(_BY_DAY)]
