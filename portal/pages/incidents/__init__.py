"""Incidents as the requester meets them, and one incident's page for everybody."""

from portal.pages.incidents.listing import index
from portal.pages.incidents.page import appointment, fetch, move, remove, show
from portal.pages.incidents.reporting import create, hints, new

__all__ = ["appointment", "create", "fetch", "hints", "index", "move", "new", "remove", "show"]
