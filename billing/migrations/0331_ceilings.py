from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from auth.fields import InstantField


class Migration(migrations.Migration):
    dependencies = [("billing", "0330_unsummed_usage")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Ceiling",
            name="made_at",
            field=InstantField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Ceiling",
            name="made_by",
            field=fields.CharField(default="", max_length=200),
        ),
        ops.AddField(
            model_name="Ceiling",
            name="reason",
            field=fields.TextField(default="", unique=False),
        ),
    ]
