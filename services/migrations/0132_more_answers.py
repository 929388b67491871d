from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from services.channels.rules import Kind


class Migration(migrations.Migration):
    dependencies = [("services", "0121_channels"), ("services", "0131_who_writes")]

    initial = False

    operations = [
        ops.AlterField(
            model_name="Reply",
            name="kind",
            field=fields.CharEnumField(
                description="RECEIVED: received\nCONTINUED: continued\nMESSAGE: message\nASKED: asked\nRESOLVED: resolved\nLINKED: linked\nUNKNOWN: unknown",
                enum_type=Kind,
                max_length=16,
            ),
        ),
    ]
