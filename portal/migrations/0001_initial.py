from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from auth.fields import InstantField


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="DemoClock",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("demo_at", InstantField(auto_now=False, auto_now_add=False)),
                ("real_at", InstantField(auto_now=False, auto_now_add=False)),
                ("is_held", fields.BooleanField(default=False)),
            ],
            options={
                "table": "demo_clock",
                "app": "portal",
                "pk_attr": "id",
                "table_description": "The demo's business time: `demo_at` when the machine read `real_at`, standing still if held.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FormKey",
            fields=[
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("session_id", fields.UUIDField()),
                ("route", fields.CharField(max_length=64)),
                ("said", fields.CharField(max_length=64)),
                ("location", fields.TextField(default="", unique=False)),
                ("taken_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "form_key",
                "app": "portal",
                "pk_attr": "key",
                "table_description": "A form already taken, by its one-time key, with where its answer led: a double click has one effect.",
            },
            bases=["Model"],
        ),
    ]
