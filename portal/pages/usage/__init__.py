"""Usage behind the costs: the hours of a line and their events, corrections, and what services are called elsewhere."""

from portal.pages.usage.correcting import correct, corrections, preview
from portal.pages.usage.event import find, show
from portal.pages.usage.measured import events, events_file, hours, hours_file
from portal.pages.usage.references import index as references
from portal.pages.usage.references import map_one, move, withdraw

__all__ = [
    "correct",
    "corrections",
    "events",
    "events_file",
    "find",
    "hours",
    "hours_file",
    "map_one",
    "move",
    "preview",
    "references",
    "show",
    "withdraw",
]
