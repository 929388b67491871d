import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from auth.people.models import Person


class Session(Model):
    """A signed-in browser. The cookie holds an opaque token; here is only its SHA-256."""

    id = primary_key()
    token_hash = fields.CharField(max_length=64, unique=True)
    person_id: uuid.UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "auth.Person", related_name="sessions", on_delete=fields.RESTRICT
    )
    organisation_id = fields.UUIDField(null=True)
    csrf_secret = fields.CharField(max_length=64)
    issuer = fields.CharField(max_length=255)
    subject = fields.CharField(max_length=255)
    provider_session = fields.CharField(max_length=255, default="")  # the `sid` claim
    id_token = fields.TextField(default="")
    user_agent = fields.CharField(max_length=255, default="")
    created_at = InstantField()
    authenticated_at = InstantField()
    last_seen_at = InstantField()
    expires_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table = "session"
        indexes = [
            Index(fields=("person_id",), name="session_person"),
            Index(fields=("issuer", "provider_session"), name="session_provider_session"),
        ]


class PendingSignIn(Model):
    """A sign-in on its way through the identity provider; its state is used once."""

    state_hash = fields.CharField(max_length=64, primary_key=True)
    pending = DocumentField()
    started_at = InstantField()

    class Meta:
        table = "pending_sign_in"


class LogoutNoticeSeen(Model):
    """A back-channel logout token already taken, so that it cannot be played again."""

    jti_hash = fields.CharField(max_length=64, primary_key=True)
    seen_at = InstantField()

    class Meta:
        table = "logout_notice_seen"
