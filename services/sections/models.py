import enum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key


class Position(enum.StrEnum):
    """What somebody is in a section (seed B 3(3), 3(4))."""

    HEAD = "head"
    DELEGATE = "delegate"  # ผู้รับมอบหมาย: acts for the head
    TECHNICIAN = "technician"


class Section(Model):
    """A section (ฝ่าย) of a provider's desk, to which incidents go and whose head owns its service levels."""

    id = primary_key()
    provider_id = fields.UUIDField()
    code = fields.CharField(max_length=32)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    position = fields.IntField(default=0)

    class Meta:
        table = "section"
        unique_together = (("provider_id", "code"),)


class SectionMember(Model):
    """A person's place in a section, from when until when; never deleted."""

    id = primary_key()
    provider_id = fields.UUIDField()
    section_id = fields.UUIDField()
    person_id = fields.UUIDField()
    name = fields.CharField(max_length=200)
    position = fields.CharEnumField(Position, max_length=16)
    since = InstantField()
    until = InstantField(null=True)

    class Meta:
        table = "section_member"
        indexes = [
            Index(fields=("provider_id", "person_id"), name="section_member_person"),
            Index(fields=("section_id",), name="section_member_section"),
        ]


class Absence(Model):
    """Days somebody is away, first and last included, so that a head sees it before assigning."""

    id = primary_key()
    provider_id = fields.UUIDField()
    person_id = fields.UUIDField()
    first_day = fields.DateField()
    last_day = fields.DateField()
    note = fields.CharField(max_length=200, default="")

    class Meta:
        table = "absence"
        indexes = [Index(fields=("provider_id", "person_id", "last_day"), name="absence_person")]
