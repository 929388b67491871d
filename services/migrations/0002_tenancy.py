from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, APP_ROLE, ORGANISATION, PROVIDER, append_only, belongs, offered, secured, tenant

_CHANGING = "SELECT, INSERT, UPDATE"


class Migration(migrations.Migration):
    dependencies = [("services", "0001_initial"), ("billing", "0002_tenancy")]

    operations = [
        ops.RunSQL(offered("offering")),
        ops.RunSQL(offered("addon")),
        ops.RunSQL(offered("component")),
        # An agency's confirmation, refusal or withdrawal moves what is held for it; only staff set a size.
        ops.RunSQL(
            secured(
                "pool",
                member=f"{AGENCY} IS NOT NULL OR provider_id = {PROVIDER}",
                read=f"{ORGANISATION} IS NOT NULL",
                grant="SELECT, INSERT",
            )
            + f"GRANT UPDATE (in_use, held, size, name_th, name_en) ON pool TO {APP_ROLE};"
        ),
        ops.RunSQL(
            secured(
                "holiday",
                member=f"{PROVIDER} IS NOT NULL",
                read=f"{ORGANISATION} IS NOT NULL",
                grant=_CHANGING,
            )
        ),
        ops.RunSQL(tenant("subscription", grant=_CHANGING)),
        ops.RunSQL(belongs("subscription", "id", "billed_service")),
        ops.RunSQL(tenant("service_request", grant=_CHANGING)),
        ops.RunSQL(belongs("service_request", "subscription_id", "subscription")),
        # At most one open request per service, whoever asks at the same moment.
        ops.RunSQL(
            """
            CREATE UNIQUE INDEX service_request_one_open ON service_request (agency_id, subscription_id)
            WHERE subscription_id IS NOT NULL AND state IN (
                'submitted', 'under_review', 'returned', 'awaiting_confirmation', 'confirmed', 'in_progress'
            );
            """
        ),
        ops.RunSQL(tenant("request_item")),
        ops.RunSQL(belongs("request_item", "request_id", "service_request")),
        ops.RunSQL(tenant("check_record", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("check_record", "request_id", "service_request")),
        ops.RunSQL(append_only("check_record")),
        ops.RunSQL(tenant("quote", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("quote", "request_id", "service_request")),
        ops.RunSQL(belongs("service_request", "quote_id", "quote")),
        ops.RunSQL(append_only("quote")),
        ops.RunSQL(tenant("hold", grant=_CHANGING)),
        ops.RunSQL(belongs("hold", "request_id", "service_request")),
        ops.RunSQL(tenant("work_order", grant=_CHANGING)),
        ops.RunSQL(belongs("work_order", "request_id", "service_request")),
        ops.RunSQL(tenant("work_step", grant=_CHANGING)),
        ops.RunSQL(belongs("work_step", "work_order_id", "work_order")),
        ops.RunSQL(tenant("request_event", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("request_event", "request_id", "service_request")),
        ops.RunSQL(append_only("request_event")),
    ]
