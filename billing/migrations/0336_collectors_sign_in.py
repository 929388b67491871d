from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from billing.collectors.rules import SignIn


class Migration(migrations.Migration):
    dependencies = [("billing", "0335_notes_after_notes")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Collector",
            name="signs_in",
            field=fields.CharEnumField(
                default=SignIn.NONE,
                description="NONE: none\nBASIC: basic\nBEARER: bearer",
                enum_type=SignIn,
                max_length=16,
            ),
        ),
        ops.AddField(model_name="Collector", name="user_name", field=fields.CharField(default="", max_length=254)),
        ops.AddField(model_name="Collector", name="sealed_secret", field=fields.TextField(default="", unique=False)),
    ]
