"""Usage behind the costs: hours, events and corrections; collectors, and what services are called elsewhere."""

from portal.pages.usage.collectors import collector, run_one, save, set_up, stop_one
from portal.pages.usage.collectors import index as collectors
from portal.pages.usage.correcting import correct, corrections, preview
from portal.pages.usage.event import find, show
from portal.pages.usage.measured import events, events_file, hours, hours_file
from portal.pages.usage.references import index as references
from portal.pages.usage.references import map_one, move, withdraw

__all__ = [
    "collector",
    "collectors",
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
    "run_one",
    "save",
    "set_up",
    "show",
    "stop_one",
    "withdraw",
]
