from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from billing.disputes.rules import Move, State


class Dispute(Model):
    """An agency's objection to a line of an issued invoice."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    statement_id = fields.UUIDField()
    line_id = fields.UUIDField()
    state = fields.CharEnumField(State, max_length=16, default=State.OPEN)
    credit_note_id = fields.UUIDField(null=True)
    opened_at = InstantField()
    opened_by_name = fields.CharField(max_length=200)
    changed_at = InstantField()

    class Meta:
        table = "dispute"
        indexes = [
            Index(fields=("agency_id", "statement_id"), name="dispute_statement"),
            Index(fields=("agency_id", "state", "opened_at"), name="dispute_agency"),
            Index(fields=("provider_id", "state", "opened_at"), name="dispute_provider"),
            Index(fields=("agency_id", "line_id"), name="dispute_line"),
            Index(fields=("agency_id", "credit_note_id"), name="dispute_credit_note"),
        ]


class DisputeEvent(Model):
    """What somebody did or wrote in a dispute; never changed."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    dispute_id = fields.UUIDField()
    move = fields.CharEnumField(Move, max_length=16)
    text = fields.TextField()
    by_id = fields.UUIDField()
    by_name = fields.CharField(max_length=200)
    of_agency = fields.BooleanField()
    at = InstantField()

    class Meta:
        table = "dispute_event"
        indexes = [
            Index(fields=("agency_id", "dispute_id", "at"), name="dispute_event_dispute"),
            Index(fields=("provider_id", "at"), name="dispute_event_provider"),
        ]
