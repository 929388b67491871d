from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0201_documents_tenancy"),
    ]

    initial = False

    operations = [
        ops.AddField(
            model_name="Statement",
            name="due_on",
            field=fields.DateField(null=True),
        ),
    ]
