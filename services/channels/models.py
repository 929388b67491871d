from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from services.channels.rules import ArrivalState, Kind, ReplyState, Security, Why
from services.files.models import KeptFile
from services.incidents.rules import Channel


class Mailbox(Model):
    """The mailbox a provider's desk is written to, and how its answers leave. Its times are the machine's."""

    id = primary_key()
    provider_id = fields.UUIDField(unique=True)
    address = fields.CharField(max_length=254)
    host = fields.CharField(max_length=255)
    port = fields.IntField()
    security = fields.CharEnumField(Security, max_length=16)
    user_name = fields.CharField(max_length=254)
    sealed_secret = fields.TextField()  # readable with the portal's own keys only
    folder = fields.CharField(max_length=100, default="INBOX")
    smtp_host = fields.CharField(max_length=255)
    smtp_port = fields.IntField()
    smtp_security = fields.CharEnumField(Security, max_length=16)
    smtp_signs_in = fields.BooleanField(default=True)
    # The mail server whose word on a sender's authenticity is believed; none: senders are taken at their word.
    vouched_by = fields.CharField(max_length=255, default="")
    is_on = fields.BooleanField(default=True)
    # Up to where it was read: a message is taken in the transaction that moves this on.
    uid_validity = fields.BigIntField(null=True)
    last_uid = fields.BigIntField(default=0)
    next_look_at = InstantField()
    looked_at = InstantField(null=True)
    worked_at = InstantField(null=True)
    last_error = fields.CharField(max_length=200, default="")
    changed_at = InstantField()

    class Meta:
        table = "mailbox"


class LineAccount(Model):
    """A provider's LINE official account."""

    id = primary_key()
    provider_id = fields.UUIDField(unique=True)
    basic_id = fields.CharField(max_length=64)  # such as @help
    sealed_channel_secret = fields.TextField()
    sealed_access_token = fields.TextField()
    is_on = fields.BooleanField(default=True)
    heard_at = InstantField(null=True)
    last_error = fields.CharField(max_length=200, default="")
    changed_at = InstantField()

    class Meta:
        table = "line_account"


class Arrival(Model):
    """What reached a provider's desk by mail or LINE, each once; what nobody could be found for waits to be sorted."""

    id = primary_key()
    provider_id = fields.UUIDField()
    channel = fields.CharEnumField(Channel, max_length=16)
    external_id = fields.CharField(max_length=255)  # a mail's Message-ID, a LINE event's id
    sender = fields.CharField(max_length=254)  # a mail address, a LINE user's id
    sender_name = fields.CharField(max_length=200, default="")
    title = fields.CharField(max_length=200)
    text = fields.TextField()  # all that was written, with what it quotes
    sent_at = InstantField(null=True)  # as the sender says, where that is believable
    received_at = InstantField()
    state = fields.CharEnumField(ArrivalState, max_length=16, default=ArrivalState.WAITING)
    why = fields.CharEnumField(Why, max_length=24, null=True)  # why it waits
    incident_id = fields.UUIDField(null=True)
    message_id = fields.UUIDField(null=True)
    opened = fields.BooleanField(default=False)  # the incident was opened by it
    settled_by_name = fields.CharField(max_length=200, default="")
    settled_at = InstantField(null=True)

    class Meta:
        table = "arrival"
        unique_together = (("provider_id", "external_id"),)
        indexes = [
            Index(fields=("provider_id", "state", "received_at"), name="arrival_inbox"),
            Index(fields=("provider_id", "sender", "received_at"), name="arrival_sender"),
            Index(fields=("incident_id",), name="arrival_incident"),
        ]


class ArrivalFile(KeptFile):
    """A file of what waits to be sorted."""

    id = primary_key()
    provider_id = fields.UUIDField()
    arrival_id = fields.UUIDField()

    class Meta:
        table = "arrival_file"
        indexes = [Index(fields=("arrival_id",), name="arrival_file_arrival")]


class Reply(Model):
    """What the desk answers by mail or LINE: written down with what causes it, sent by the worker."""

    id = primary_key()
    provider_id = fields.UUIDField()
    incident_id = fields.UUIDField(null=True)
    channel = fields.CharEnumField(Channel, max_length=16)
    kind = fields.CharEnumField(Kind, max_length=16)
    recipient = fields.CharField(max_length=254)
    text = fields.TextField(default="")
    own_message_id = fields.CharField(max_length=255, unique=True)  # what an answer to it names
    in_reply_to = fields.CharField(max_length=255, default="")
    detail = DocumentField(default=dict)
    reply_token = fields.CharField(max_length=255, default="")  # LINE's, good for a minute
    state = fields.CharEnumField(ReplyState, max_length=16, default=ReplyState.PENDING)
    attempts = fields.IntField(default=0)
    next_attempt_at = InstantField()
    last_answer = fields.CharField(max_length=200, default="")
    created_at = InstantField()
    settled_at = InstantField(null=True)

    class Meta:
        table = "reply"
        indexes = [
            Index(fields=("state", "next_attempt_at"), name="reply_due"),
            Index(fields=("incident_id",), name="reply_incident"),
        ]


class LineLink(Model):
    """Which person writes from a LINE account; a LINE user has another id at every provider."""

    id = primary_key()
    provider_id = fields.UUIDField()
    line_user_id = fields.CharField(max_length=64)
    person_id = fields.UUIDField()
    linked_at = InstantField()

    class Meta:
        table = "line_link"
        unique_together = (("provider_id", "line_user_id"), ("provider_id", "person_id"))
        indexes = [Index(fields=("person_id",), name="line_link_person")]


class LineCode(Model):
    """A code that links a LINE account to a person, once and soon; only its hash is kept."""

    digest = fields.CharField(max_length=64, primary_key=True)
    person_id = fields.UUIDField()
    expires_at = InstantField()

    class Meta:
        table = "line_code"
        indexes = [Index(fields=("person_id",), name="line_code_person")]
