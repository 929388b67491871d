"""What can be refused, by name. Nothing here knows HTTP: the portal maps each refusal to a status.

Refusal
├── NotFound            no such record, or not yours to know of
├── NotPermitted        your role does not allow it
│   └── SameHands       one person may not do both halves (quote and confirm)
├── StaleSignIn         sign in again first
├── Conflict            somebody was there before you
└── Invalid             the facts given cannot be taken; `fields` says which and why
"""


class Refusal(Exception):
    """The request was understood and is refused; the class names why."""


class NotFound(Refusal):
    """There is no such record for this actor; another agency's record looks the same."""


class NotPermitted(Refusal):
    """The actor's roles do not allow this."""


class SameHands(NotPermitted):
    """The two halves of a decision may not lie in one person's hands."""


class StaleSignIn(Refusal):
    """The act needs a fresh sign-in."""


class Conflict(Refusal):
    """The record has moved on since it was read."""


class Invalid(Refusal):
    """The facts given cannot be taken. `fields` maps a field's name to an English message id."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = fields
