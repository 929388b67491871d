from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("billing", "0338_is_addon")]

    initial = False

    operations = [
        ops.AddField(
            model_name="BillingPolicy", name="payment_instructions", field=fields.TextField(default="", unique=False)
        ),
        ops.AddField(
            model_name="Statement", name="payment_instructions", field=fields.TextField(default="", unique=False)
        ),
    ]
