from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key


class Notification(Model):
    """Something an organisation's people should know: one person, or all who hold a permission."""

    id = primary_key()
    organisation_id = fields.UUIDField()
    person_id = fields.UUIDField(null=True)
    permission = fields.CharField(max_length=32, default="")
    section_id = fields.UUIDField(null=True)  # of those with the permission, only who heads this section
    what = fields.CharField(max_length=48)
    subject_type = fields.CharField(max_length=32)
    subject_id = fields.UUIDField()
    detail = DocumentField()
    # The business identity of the news: told once, however often the job that tells it runs.
    identity = fields.CharField(max_length=160)
    at = InstantField()

    class Meta:
        table = "notification"
        unique_together = (("organisation_id", "identity"),)
        indexes = [Index(fields=("organisation_id", "at"), name="notification_at")]


class NotificationRead(Model):
    """That one person has read one notification."""

    id = primary_key()
    organisation_id = fields.UUIDField()
    notification_id = fields.UUIDField()
    person_id = fields.UUIDField()
    read_at = InstantField()

    class Meta:
        table = "notification_read"
        unique_together = (("organisation_id", "person_id", "notification_id"),)
