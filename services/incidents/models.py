import enum
import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from services.files.models import KeptFile
from services.incidents.rules import Channel, Side, State, Whose
from services.sla.facts import Fact, FactKind, Standing, Status
from services.sla.rules import Severity, Terms


class Incident(Model):
    """An incident, or a wish for help, at a provider's desk (standard 7.3, 7.5.8)."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    title = fields.CharField(max_length=200)
    description = fields.TextField(default="")
    location = fields.CharField(max_length=200, default="")
    subscription_id = fields.UUIDField(null=True)  # the service in use it is about
    # Who asked and who logged it are two people where the help-desk logs for a caller (seed B 3(2)).
    requester_id = fields.UUIDField(null=True)
    requester_name = fields.CharField(max_length=200)
    caller_id = fields.UUIDField(null=True)
    logged_by = fields.UUIDField(null=True)
    logged_by_name = fields.CharField(max_length=200)
    channel = fields.CharEnumField(Channel, max_length=16)
    contacted_at = InstantField()  # the clock starts here, not when it was typed in
    logged_at = InstantField()
    # The version of the agreement's row it stands under; none until somebody classifies it.
    sla_row_id = fields.UUIDField(null=True)
    row_code = fields.CharField(max_length=16, default="")
    section_id = fields.UUIDField(null=True)  # none while it is with the help-desk
    items = fields.IntField(default=1)
    severity = fields.CharEnumField(Severity, max_length=16, null=True)
    is_emergency = fields.BooleanField(default=False)
    state = fields.CharEnumField(State, max_length=16, default=State.REPORTED)
    assignee_id = fields.UUIDField(null=True)
    assignee_name = fields.CharField(max_length=200, default="")
    disruption_id = fields.UUIDField(null=True)
    merged_into_id = fields.UUIDField(null=True)
    resolution = fields.TextField(default="")
    resolved_at = InstantField(null=True)
    closes_at = InstantField(null=True)  # by itself, when the requester says nothing
    remind_at = InstantField(null=True)
    reopened_count = fields.IntField(default=0)
    grade = fields.IntField(null=True)  # satisfaction, 1 to 5
    grade_comment = fields.TextField(default="")
    changed_at = InstantField()
    # Computed from the facts, and kept so that queues page by index and a report sums in the database. Written
    # anew with every fact, and for all that is open when a holiday is declared or withdrawn; never set by hand.
    is_open = fields.BooleanField(default=True)  # the desk still has something to do
    standing = fields.CharEnumField(Standing, max_length=16)
    due_at = InstantField(null=True)  # only while it moves no more by itself
    amber_at = InstantField(null=True)
    warn_at = InstantField(null=True)
    overdue_from = InstantField(null=True)  # a due time at closing is passed at the next opening
    queue_at = InstantField()  # the due time, or the end of time: what a queue is ordered by
    response_due_at = InstantField(null=True)
    response_warn_at = InstantField(null=True)
    responded_at = InstantField(null=True)
    outcome = fields.CharEnumField(Status, max_length=16, null=True)  # how it ended; none while open, or merged
    used_minutes = fields.IntField(null=True)
    runs_always = fields.BooleanField(default=False)  # on the 24×7 clock
    escalation = fields.IntField(default=0)  # 1: told before the breach, 2: told of the breach
    response_escalation = fields.IntField(default=0)  # the same, of the response

    class Meta:
        table = "incident"
        unique_together = (("agency_id", "number"),)
        indexes = [
            Index(fields=("agency_id", "requester_id", "changed_at"), name="incident_requester"),
            Index(fields=("agency_id", "changed_at"), name="incident_agency"),
            Index(fields=("agency_id", "subscription_id"), name="incident_subscription"),
            Index(fields=("provider_id", "contacted_at"), name="incident_provider"),
            Index(fields=("disruption_id",), name="incident_disruption"),
        ]

    @property
    def whose(self) -> Whose:
        """Whom it belongs to."""
        return Whose(self.agency_id, self.provider_id, self.requester_id, self.section_id, self.assignee_id)


class IncidentFact(Model):
    """Something that happened to an incident; appended with the move it tells of, never changed."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    number = fields.IntField()
    at = InstantField()
    recorded_at = InstantField()  # later than `at` for a call logged afterwards
    kind = fields.CharEnumField(FactKind, max_length=24)
    state = fields.CharEnumField(State, max_length=16)
    by_id = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=200)
    by_side = fields.CharEnumField(Side, max_length=16)
    account = fields.IntField(null=True)
    terms: fields.Field[dict[str, object] | None] = DocumentField(null=True)  # new ones, with what sets them
    note = fields.TextField(default="")  # both sides read it
    detail = DocumentField()

    class Meta:
        table = "incident_fact"
        unique_together = (("agency_id", "incident_id", "number"),)
        indexes = [Index(fields=("incident_id", "number"), name="incident_fact_order")]

    @property
    def heard(self) -> Fact:
        """What the clock hears of it."""
        terms = Terms.read(self.terms) if self.terms else None
        return Fact(self.at, self.kind, terms, self.account, self.note)


class IncidentMessage(Model):
    """A message between the requester and the desk; both read it."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    at = InstantField()
    by_id = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=200)
    side = fields.CharEnumField(Side, max_length=16)
    channel = fields.CharEnumField(Channel, max_length=16)
    text = fields.TextField()
    external_id = fields.CharField(max_length=255, null=True)  # a mail's Message-ID, a LINE message's id

    class Meta:
        table = "incident_message"
        unique_together = (("provider_id", "external_id"),)
        indexes = [Index(fields=("agency_id", "incident_id", "at"), name="incident_message_order")]


class InternalNote(Model):
    """What the desk notes for itself. The database lets no agency read it."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    at = InstantField()
    by_id = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=200)
    text = fields.TextField()

    class Meta:
        table = "internal_note"
        indexes = [Index(fields=("agency_id", "incident_id", "at"), name="internal_note_order")]


class DeskFile(KeptFile):
    """A file of an incident; once removed its bytes are gone, and the rest says that it was there."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    added_by = fields.UUIDField(null=True)
    removed_at = InstantField(null=True)
    removed_by_name = fields.CharField(max_length=200, default="")
    removed_why = fields.TextField(default="")

    class Meta:
        abstract = True


class IncidentFile(DeskFile):
    """A file that came with the report, or with a message both sides read."""

    message_id = fields.UUIDField(null=True)  # none: it came with the report

    class Meta:
        table = "incident_file"
        indexes = [Index(fields=("agency_id", "incident_id", "added_at"), name="incident_file_order")]


class InternalFile(DeskFile):
    """A file with an internal note. The database lets no agency read it."""

    note_id = fields.UUIDField()

    class Meta:
        table = "internal_file"
        indexes = [Index(fields=("agency_id", "incident_id", "added_at"), name="internal_file_order")]


class WorkEntry(Model):
    """Work done on an incident: what, how long, with which parts or vendor. The desk's own, as notes are."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    at = InstantField()
    by_id = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=200)
    text = fields.TextField()
    minutes = fields.IntField(default=0)
    parts = fields.TextField(default="")
    vendor = fields.CharField(max_length=200, default="")

    class Meta:
        table = "work_entry"
        indexes = [Index(fields=("agency_id", "incident_id", "at"), name="work_entry_order")]


class AppointmentState(enum.StrEnum):
    """How far an appointment has come."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    MOVED = "moved"  # another time was proposed instead


class Appointment(Model):
    """A time proposed by one side; it stands when the other accepts it."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField()
    starts_at = InstantField()
    ends_at = InstantField()
    place = fields.CharField(max_length=200, default="")
    note = fields.TextField(default="")
    state = fields.CharEnumField(AppointmentState, max_length=16, default=AppointmentState.PROPOSED)
    proposed_by: uuid.UUID | None = fields.UUIDField(null=True)
    proposed_by_name = fields.CharField(max_length=200)
    proposed_side = fields.CharEnumField(Side, max_length=16)
    proposed_at = InstantField()
    answered_by_name = fields.CharField(max_length=200, default="")
    answered_at = InstantField(null=True)

    class Meta:
        table = "appointment"
        indexes = [
            Index(fields=("agency_id", "incident_id", "proposed_at"), name="appointment_incident"),
            Index(fields=("provider_id", "starts_at"), name="appointment_day"),
        ]
