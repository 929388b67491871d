from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.fields import DocumentField


class Migration(migrations.Migration):
    dependencies = [("billing", "0334_refunds")]

    initial = False

    operations = [
        ops.AddField(model_name="Document", name="after", field=DocumentField(null=True)),
    ]
