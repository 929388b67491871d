from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("billing", "0337_addons"), ("services", "0141_addons_of_billing")]

    initial = False

    operations = [ops.RemoveField(model_name="Allocation", name="is_addon")]
