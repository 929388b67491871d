from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# What an offering takes orders for until now is said by each of its versions. They are never changed otherwise. The
# settings let the owner of the tables read and write past their forced row-level security.
_AS_IT_IS = """
    SELECT set_config('portal.scope', 'system', true);
    ALTER TABLE offering_terms DISABLE TRIGGER append_only;
    UPDATE offering_terms t SET is_open = o.is_open, takes_waiting_list = o.takes_waiting_list
    FROM offering o WHERE o.id = t.offering_id;
    ALTER TABLE offering_terms ENABLE TRIGGER append_only;
    SELECT set_config('portal.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("services", "0133_files_removed")]

    initial = False

    operations = [
        ops.AlterModelOptions(
            name="ComponentBounds",
            options={
                "table": "component_bounds",
                "app": "services",
                "unique_together": (("component_id", "number"),),
                "pk_attr": "id",
                "table_description": "Whether, and in which quantities, a component can be ordered from a day on; never edited, only followed.",
            },
        ),
        ops.AddField(
            model_name="ComponentBounds",
            name="is_offered",
            field=fields.BooleanField(default=True),
        ),
        ops.AddField(
            model_name="OfferingTerms",
            name="is_open",
            field=fields.BooleanField(default=True),
        ),
        ops.AddField(
            model_name="OfferingTerms",
            name="takes_waiting_list",
            field=fields.BooleanField(default=False),
        ),
        ops.RunSQL(_AS_IT_IS),
        ops.RemoveField(model_name="Offering", name="is_open"),
        ops.RemoveField(model_name="Offering", name="takes_waiting_list"),
    ]
