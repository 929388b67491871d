"""The help-desk's own pages: queues, logging for a caller, the sections, known outages."""

from portal.pages.desk.calls import callers, create, new
from portal.pages.desk.inbox import arrived, file, inbox, sort
from portal.pages.desk.outages import begin, end, outages, update
from portal.pages.desk.queues import counted, index
from portal.pages.desk.section import assign_all, away, section
from portal.pages.desk.sections import end_place, give_place, sections, take_agreement

__all__ = [
    "arrived",
    "assign_all",
    "away",
    "begin",
    "callers",
    "counted",
    "create",
    "end",
    "end_place",
    "file",
    "give_place",
    "inbox",
    "index",
    "new",
    "outages",
    "section",
    "sections",
    "sort",
    "take_agreement",
    "update",
]
