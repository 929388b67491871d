from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("billing", "0334_copied_batches"), ("billing", "0336_collectors_sign_in")]

    initial = False

    operations = [
        ops.AddField(model_name="Allocation", name="addon_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="Meter", name="addon_id", field=fields.UUIDField(null=True)),
    ]
