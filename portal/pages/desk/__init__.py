"""The help-desk's own pages: queues, logging for a caller, the head's section, known outages."""

from portal.pages.desk.calls import callers, create, new
from portal.pages.desk.outages import begin, end, outages, update
from portal.pages.desk.queues import counted, index
from portal.pages.desk.section import assign_all, away, section

__all__ = [
    "assign_all",
    "away",
    "begin",
    "callers",
    "counted",
    "create",
    "end",
    "index",
    "new",
    "outages",
    "section",
    "update",
]
