import enum
import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from auth.organisations.models import Organisation
from auth.rules import Role


class AccessState(enum.StrEnum):
    """How far a request for access has come."""

    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"


class Person(Model):
    """Somebody known by (issuer, subject) of an identity provider; never by e-mail."""

    id = primary_key()
    issuer = fields.CharField(max_length=255)
    subject = fields.CharField(max_length=255)
    name = fields.CharField(max_length=200)
    email = fields.CharField(max_length=254, default="")
    created_at = InstantField()

    class Meta:
        table = "person"
        unique_together = (("issuer", "subject"),)


class Membership(Model):
    """One role of one person in one organisation, from grant to revocation; never deleted."""

    id = primary_key()
    organisation_id: uuid.UUID
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="memberships", on_delete=fields.RESTRICT
    )
    person_id: uuid.UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "auth.Person", related_name="memberships", on_delete=fields.RESTRICT
    )
    role = fields.CharEnumField(Role, max_length=24)
    granted_by = fields.CharField(max_length=200)
    granted_at = InstantField()
    revoked_by = fields.CharField(max_length=200, null=True)
    revoked_at = InstantField(null=True)

    class Meta:
        table = "membership"
        indexes = [
            Index(fields=("organisation_id", "person_id"), name="membership_organisation"),
            Index(fields=("person_id",), name="membership_person"),
        ]
        constraints = [
            UniqueConstraint(
                fields=("organisation_id", "person_id", "role"),
                name="membership_held_once",
                condition="revoked_at IS NULL",
            )
        ]


class Delegation(Model):
    """A role lent to a colleague for an absence; both names stand on what is done with it."""

    id = primary_key()
    organisation_id: uuid.UUID
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="delegations", on_delete=fields.RESTRICT
    )
    from_person_id: uuid.UUID
    from_person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "auth.Person", related_name="delegations_given", on_delete=fields.RESTRICT
    )
    to_person_id: uuid.UUID
    to_person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "auth.Person", related_name="delegations_held", on_delete=fields.RESTRICT
    )
    role = fields.CharEnumField(Role, max_length=24)
    starts_at = InstantField()
    ends_at = InstantField()
    reason = fields.TextField(default="")
    given_at = InstantField()
    revoked_at = InstantField(null=True)

    class Meta:
        table = "delegation"
        indexes = [
            Index(fields=("organisation_id", "ends_at"), name="delegation_organisation"),
            Index(fields=("to_person_id", "ends_at"), name="delegation_to"),
            Index(fields=("from_person_id",), name="delegation_from"),
        ]


class AccessRequest(Model):
    """A signed-in person's wish to act for an organisation; its administrator decides."""

    id = primary_key()
    organisation_id: uuid.UUID
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="access_requests", on_delete=fields.RESTRICT
    )
    person_id: uuid.UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "auth.Person", related_name="access_requests", on_delete=fields.RESTRICT
    )
    role = fields.CharEnumField(Role, max_length=24)
    note = fields.TextField(default="")
    state = fields.CharEnumField(AccessState, max_length=16, default=AccessState.PENDING)
    asked_at = InstantField()
    decided_by = fields.CharField(max_length=200, null=True)
    decided_at = InstantField(null=True)
    decision_note = fields.TextField(default="")

    class Meta:
        table = "access_request"
        indexes = [
            Index(fields=("organisation_id", "state"), name="access_request_organisation"),
            Index(fields=("person_id",), name="access_request_person"),
        ]
