"""The help-desk's own pages: queues, logging for a caller, the sections, known outages."""

from portal.pages.desk.calls import callers, create, new
from portal.pages.desk.outages import begin, end, outages, update
from portal.pages.desk.queues import counted, index
from portal.pages.desk.section import assign_all, away, section
from portal.pages.desk.sections import end_place, give_place, sections, take_agreement

__all__ = [
    "assign_all",
    "away",
    "begin",
    "callers",
    "counted",
    "create",
    "end",
    "end_place",
    "give_place",
    "index",
    "new",
    "outages",
    "section",
    "sections",
    "take_agreement",
    "update",
]
