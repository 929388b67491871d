from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import APP_ROLE, secured


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial"), ("auth", "0002_tenancy")]

    operations = [
        ops.RunSQL(f"GRANT SELECT, INSERT, UPDATE ON demo_clock TO {APP_ROLE};"),
        # A form's key says nothing of its content; the session that sent it is checked by the edge.
        ops.RunSQL(secured("form_key", member="true")),
    ]
