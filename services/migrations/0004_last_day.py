from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from services.requests.rules import Action


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0003_coordinators_and_delegations"),
        ("billing", "0001_initial"),
        ("billing", "0002_tenancy"),
        ("services", "0003_request_life"),
    ]

    initial = False

    operations = [
        ops.AlterModelOptions(
            name="Hold",
            options={
                "table": "hold",
                "app": "services",
                "indexes": [
                    Index(fields=["agency_id", "request_id"], name="hold_request"),
                    Index(fields=["pool_id", "state"], name="hold_pool"),
                ],
                "pk_attr": "id",
                "table_description": "Capacity set aside for one quote until used or released, or given back once a request takes effect.",
            },
        ),
        ops.AlterField(
            model_name="RequestEvent",
            name="action",
            field=fields.CharEnumField(
                null=True,
                description="SUBMIT: submit\nACCEPT: accept\nRETURN: return\nREJECT: reject\nQUOTE: quote\nVOID: void\nCONFIRM: confirm\nDECLINE: decline\nEXPIRE: expire\nWITHDRAW: withdraw\nSTART: start\nCOMPLETE: complete\nREOPEN: reopen",
                enum_type=Action,
                max_length=16,
            ),
        ),
        ops.AddField(
            model_name="Subscription",
            name="last_day",
            field=fields.DateField(null=True),
        ),
    ]
