import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key, quantity
from services.catalogue.models import Component, Offering
from services.files.models import KeptFile
from services.requests.rules import Action, CheckKind, Kind, State


class ServiceRequest(Model):
    """A request (คำร้อง) for a service to be given, changed or ended."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    kind = fields.CharEnumField(Kind, max_length=16)
    state = fields.CharEnumField(State, max_length=24, default=State.DRAFT)
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="requests", on_delete=fields.RESTRICT
    )
    subscription_id = fields.UUIDField(null=True)  # none yet for a new service
    label = fields.CharField(max_length=200, default="")
    effective_on = fields.DateField()
    justification = fields.TextField(default="")
    asked_by = fields.UUIDField()
    asked_by_name = fields.CharField(max_length=200)
    reviewer_id = fields.UUIDField(null=True)
    reviewer_name = fields.CharField(max_length=200, default="")
    quote_id = fields.UUIDField(null=True)  # the quote that stands
    asks_earlier = fields.BooleanField(default=False)  # than the lead time allows; staff must agree
    waits_for_capacity = fields.BooleanField(default=False)
    typed = DocumentField(null=True)  # a draft's form as typed, so that nothing is lost
    undone_at = InstantField(null=True)  # a cancellation taken back before its last day
    created_at = InstantField()
    submitted_at = InstantField(null=True)
    changed_at = InstantField()

    class Meta:
        table = "service_request"
        unique_together = (("agency_id", "number"),)
        indexes = [
            Index(fields=("agency_id", "state", "changed_at"), name="service_request_agency"),
            Index(fields=("provider_id", "state", "submitted_at"), name="service_request_queue"),
            Index(fields=("agency_id", "subscription_id"), name="service_request_subscription"),
            Index(fields=("offering_id",), name="service_request_offering"),
        ]


class RequestItem(Model):
    """One component asked for: how much there is, is asked, and was confirmed by the provider."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    component_id: uuid.UUID
    component: fields.ForeignKeyRelation[Component] = fields.ForeignKeyField(
        "services.Component", related_name="request_items", on_delete=fields.RESTRICT
    )
    before = quantity()  # zero for what is new
    asked = quantity()  # zero for what is to end
    confirmed = quantity(null=True)

    class Meta:
        table = "request_item"
        unique_together = (("agency_id", "request_id", "component_id"),)
        indexes = [Index(fields=("component_id",), name="request_item_component")]


class Check(Model):
    """One of the reviewer's three checks, by whom and when; the latest of a kind counts."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    kind = fields.CharEnumField(CheckKind, max_length=16)
    passed = fields.BooleanField()
    note = fields.TextField(default="")
    by_id = fields.UUIDField()
    by_name = fields.CharField(max_length=200)
    at = InstantField()

    class Meta:
        table = "check_record"
        indexes = [Index(fields=("agency_id", "request_id", "at"), name="check_record_request")]


class Quote(Model):
    """The provider's answer (annex ก 1.6), frozen: the document, its SHA-256, and until when it holds."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    number = fields.IntField()
    document = DocumentField()
    sha256 = fields.CharField(max_length=64)
    valid_until = InstantField()
    quoted_by = fields.UUIDField()
    quoted_by_name = fields.CharField(max_length=200)
    quoted_at = InstantField()

    class Meta:
        table = "quote"
        unique_together = (("agency_id", "request_id", "number"),)


class WorkOrder(Model):
    """The order to do what was confirmed (annex ก 1.8); one per request."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    # When it is due is computed from these, so that a holiday declared later moves it.
    confirmed_at = InstantField()
    lead_working_days = fields.IntField()
    started_at = InstantField(null=True)
    delivered_at = InstantField(null=True)
    assigned_to = fields.UUIDField(null=True)
    assigned_to_name = fields.CharField(max_length=200, default="")

    class Meta:
        table = "work_order"
        unique_together = (("agency_id", "request_id"),)
        indexes = [Index(fields=("provider_id", "delivered_at", "confirmed_at"), name="work_order_queue")]


class WorkStep(Model):
    """One step of a work order, with what was noted when it was done."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    work_order_id = fields.UUIDField()
    position = fields.IntField()
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    failures = fields.IntField(default=0)
    done_at = InstantField(null=True)
    done_by_name = fields.CharField(max_length=200, default="")
    note = fields.TextField(default="")

    class Meta:
        table = "work_step"
        unique_together = (("agency_id", "work_order_id", "position"),)


class StepTemplate(Model):
    """A step of the work orders of a kind, of one offering or (none named) of all a provider's others."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID | None
    offering: fields.ForeignKeyNullableRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="step_templates", null=True, on_delete=fields.RESTRICT
    )
    kind = fields.CharEnumField(Kind, max_length=16)
    position = fields.IntField()
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)

    class Meta:
        table = "step_template"
        unique_together = (("provider_id", "offering_id", "kind", "position"),)
        indexes = [Index(fields=("offering_id",), name="step_template_offering")]


class Attachment(KeptFile):
    """A file that came with a request."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    added_by = fields.UUIDField()
    removed_at = InstantField(null=True)

    class Meta:
        table = "attachment"
        indexes = [Index(fields=("agency_id", "request_id"), name="attachment_request")]


class RequestEvent(Model):
    """One line of the timeline both sides see; appended with the move it tells of."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    number = fields.IntField()
    at = InstantField()
    by_id = fields.UUIDField(null=True)
    by_name = fields.CharField(max_length=200)
    by_organisation_th = fields.CharField(max_length=200, default="")
    by_organisation_en = fields.CharField(max_length=200, default="")
    what = fields.CharField(max_length=32)
    action = fields.CharEnumField(Action, max_length=16, null=True)
    state = fields.CharEnumField(State, max_length=24)
    note = fields.TextField(default="")
    detail = DocumentField()

    class Meta:
        table = "request_event"
        unique_together = (("agency_id", "request_id", "number"),)
