from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("billing", "0321_reversals_tenancy")]

    initial = False

    operations = [
        ops.AddIndex(
            model_name="Document", index=Index(fields=["provider_id", "issued_at"], name="document_provider_issued")
        ),
        ops.AddIndex(
            model_name="Statement", index=Index(fields=["provider_id", "issued_at"], name="statement_provider_issued")
        ),
    ]
