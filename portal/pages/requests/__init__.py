"""Requests as the agency and everybody else meet them: asking, following, deciding."""

from portal.pages.requests.asking import copy, create, edit, keep, new, preview, save
from portal.pages.requests.deciding import confirm, decline, quote
from portal.pages.requests.files import BODY_LIMIT, attach, fetch, remove
from portal.pages.requests.listing import listed_page
from portal.pages.requests.page import dispute, say, show, submit, undo, withdraw

__all__ = [
    "BODY_LIMIT",
    "attach",
    "confirm",
    "copy",
    "create",
    "decline",
    "dispute",
    "edit",
    "fetch",
    "keep",
    "listed_page",
    "new",
    "preview",
    "quote",
    "remove",
    "save",
    "say",
    "show",
    "submit",
    "undo",
    "withdraw",
]
