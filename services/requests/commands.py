"""Moving a request through its life: one verb per function, each atomic, each leaving an event.

The verbs live by whose turn it is. Every one locks its request first, so that of two at once the second
finds the first's outcome and is refused by the state table.
"""

from services.requests.aftercare import dispute_delivery, undo_cancellation
from services.requests.asking import copy, draft, edit, keep_typed, say, submit, withdraw
from services.requests.deciding import Voided, confirm, decline, expire, void, void_stale
from services.requests.fulfilment import assign_work, fail_step, finish_step, note_progress, order_work, start
from services.requests.reviewing import accept, assign, check, quote, reject, send_back

__all__ = [
    "Voided",
    "accept",
    "assign",
    "assign_work",
    "check",
    "confirm",
    "copy",
    "decline",
    "dispute_delivery",
    "draft",
    "edit",
    "expire",
    "fail_step",
    "finish_step",
    "keep_typed",
    "note_progress",
    "order_work",
    "quote",
    "reject",
    "say",
    "send_back",
    "start",
    "submit",
    "undo_cancellation",
    "void",
    "void_stale",
    "withdraw",
]
