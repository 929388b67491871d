from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.fields import ExactDecimalField


class Migration(migrations.Migration):
    dependencies = [("billing", "0323_taxes")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Adjustment",
            name="quantity",
            field=ExactDecimalField(null=True, max_digits=20, decimal_places=6),
        ),
    ]
