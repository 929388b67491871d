from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0331_ceilings"),
        ("billing", "0332_asked_once"),
    ]

    initial = False

    operations = [
        ops.AlterModelOptions(
            name="BillingPolicy",
            options={
                "table": "billing_policy",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "How a provider closes its months; the drafts of one that has set nothing wait for a review.",
            },
        ),
    ]
