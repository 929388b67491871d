from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import asked_once


class Migration(migrations.Migration):
    dependencies = [("billing", "0331_usage_by_day")]

    operations = [
        ops.RunSQL(asked_once(table)) for table in ("billed_service", "allocation", "statement", "statement_line")
    ]
