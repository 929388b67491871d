"""The portal's own few tables: what belongs to no noun below it."""

from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField


class DemoClock(Model):
    """The demo's business time: `demo_at` when the machine read `real_at`, standing still if held."""

    id = fields.IntField(primary_key=True)
    demo_at = InstantField()
    real_at = InstantField()
    is_held = fields.BooleanField(default=False)

    class Meta:
        table = "demo_clock"


class FormKey(Model):
    """A form already taken, by its one-time key, with where its answer led: a double click has one effect."""

    key = fields.CharField(max_length=64, primary_key=True)
    session_id = fields.UUIDField()
    route = fields.CharField(max_length=64)
    said = fields.CharField(max_length=64)  # SHA-256 of what the form said
    location = fields.TextField(default="")
    taken_at = InstantField()

    class Meta:
        table = "form_key"


class CaughtUp(Model):
    """Until when one of the duties that follow the business clock has been done."""

    duty = fields.CharField(max_length=48, primary_key=True)
    until = InstantField()

    class Meta:
        table = "caught_up"
