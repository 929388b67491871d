from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from auth.fields import InstantField
from auth.schema import APP_ROLE


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_grants")]

    operations = [
        ops.CreateModel(
            name="CaughtUp",
            fields=[
                ("duty", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=48)),
                ("until", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "caught_up",
                "app": "portal",
                "pk_attr": "duty",
                "table_description": "Until when one of the duties that follow the business clock has been done.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(f"GRANT SELECT, INSERT, UPDATE ON caught_up TO {APP_ROLE};"),
    ]
