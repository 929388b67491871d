"""The one table from what is refused to how it is told: a status, and a sentence in the user's language.

Domain errors know no HTTP. Every `Refusal` has its own line here; a test fails for one that has none. A sentence of
None leaves the words to the status's own page.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError

from auth.errors import Conflict, Invalid, NotFound, NotPermitted, Refusal, SameHands, StaleSignIn
from auth.oidc import LogoutRefused, ProviderUnavailable, SignInRefused
from auth.oidc.refusals import Refused
from auth.rules import Seat
from auth.tenancy import Busy
from billing.disputes.rules import DisputeOver
from billing.metering.rules import BadReadings, Contradicted
from billing.statements.closing import NotReviewed
from billing.statements.commands import MonthNotOver, StaleDraft
from billing.tariffs.rules import AboveCeiling
from portal.i18n import Lazy, gettext, lazy
from services.calendar.exchange import NoCalendar
from services.capacity.rules import OverCapacity, PoolInUse
from services.files.rules import FileRefused
from services.incidents import rules as incidents
from services.requests.rules import (
    AlreadyPlanned,
    ChecksMissing,
    EarlierNotAgreed,
    OpenRequestExists,
    ProviderNotListed,
    StaleQuote,
    WrongState,
)
from services.staff.rules import NotAssignable

RETRY_AFTER = {"retry-after": "5"}


class CrossSite(NotPermitted):
    """The form did not come from a page of ours."""


class OtherOrganisation(Conflict):
    """The form was made while its sender acted for another of their organisations; `seat` says which."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(f"this form was made for {seat.code}")
        self.seat = seat


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the sentence that says more than the status does, and whether the trail keeps it as a denial."""

    status: int
    sentence: Lazy | None = None
    is_denial: bool = False


ANSWERS: Mapping[type[Exception], Answer] = {
    NotFound: Answer(404, is_denial=True),
    NotPermitted: Answer(403, is_denial=True),
    SameHands: Answer(
        403,
        lazy("The person who did the first half of this decision cannot do the second half as well."),
        is_denial=True,
    ),
    CrossSite: Answer(
        403,
        lazy("The form did not come from a page of this portal, or the page was too old. Load it again."),
        is_denial=True,
    ),
    # The edge sends the visitor to sign in again; this is told where it cannot.
    StaleSignIn: Answer(403, lazy("Sign in again to confirm that it is you.")),
    Conflict: Answer(409),
    # The edge shows what was sent, to be sent again; this is told where it cannot.
    OtherOrganisation: Answer(409, lazy("The page was opened while you acted for another organisation.")),
    StaleQuote: Answer(409, lazy("The quote has changed since you opened this page. Read it again first.")),
    ProviderNotListed: Answer(
        422, lazy("The provider is not on the provider list for this kind of service, so no new request can reach it.")
    ),
    AlreadyPlanned: Answer(
        409, lazy("A change agreed earlier takes effect after this date. Choose a later effective date.")
    ),
    OpenRequestExists: Answer(409, lazy("This service already has an open request.")),
    WrongState: Answer(409, lazy("The request has moved on since you opened this page.")),
    Contradicted: Answer(409, lazy("These readings are known already, with other values.")),
    PoolInUse: Answer(409, lazy("The capacity cannot be less than what is in use or set aside.")),
    incidents.WrongState: Answer(409, lazy("The incident has moved on since you opened this page.")),
    incidents.ConditionNotMet: Answer(409, lazy("There is no condition to wait for any more.")),
    DisputeOver: Answer(409, lazy("The dispute is over; it has its outcome.")),
    Invalid: Answer(422),
    BadReadings: Answer(422),
    FileRefused: Answer(422),
    ChecksMissing: Answer(422, lazy("All three checks must be passed before a quote can be given.")),
    EarlierNotAgreed: Answer(422, lazy("The effective date is earlier than what was agreed.")),
    NotAssignable: Answer(422, lazy("This person cannot be given this work.")),
    incidents.NotClassified: Answer(422, lazy("Choose a row of the service level agreement first.")),
    AboveCeiling: Answer(422, lazy("The price is above the ceiling price.")),
    NoCalendar: Answer(422, lazy("This is no calendar file that can be read (.ics).")),
    MonthNotOver: Answer(409, lazy("The month is not over yet.")),
    NotReviewed: Answer(409, lazy("The draft is to be reviewed first, as it is now.")),
    StaleDraft: Answer(409, lazy("The draft has changed since you opened this page. Read it again.")),
    OverCapacity: Answer(422, lazy("The quantity requested exceeds what the provider can supply.")),
    Refused: Answer(403, lazy("The sign-in could not be completed.")),
    SignInRefused: Answer(403, lazy("The sign-in could not be completed."), is_denial=True),
    LogoutRefused: Answer(400, is_denial=True),
    ProviderUnavailable: Answer(503, lazy("The sign-in system does not answer at the moment.")),
    Busy: Answer(503, lazy("Many people are changing the same information at this moment.")),
}

# Raised below pages with these words; translated here because the layers below speak no Thai.
REASONS = (
    lazy("This field was sent twice."),
    lazy("Choose one of the list."),
    lazy("This role does not exist in that organisation."),
    lazy("This text is too long."),
    lazy("Give a time such as 15:20."),
    lazy("Give a day such as 16/12/2569."),
    lazy("Give the time with its zone."),
    lazy("The demo clock only moves forward."),
    lazy("The demo clock moves at most ten years at once."),
    lazy("Give a span such as 2d4h or 90m."),
    lazy("A new service names its offering and no service in use."),
    lazy("This kind of request names a service in use and no offering."),
    lazy("Give the year by the Gregorian calendar."),
    lazy("These are too many tiers."),
)

_OUT_OF_REACH = (
    DBConnectionError,
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.InterfaceError,
    asyncpg.QueryCanceledError,
)
_NO_ANSWER_FROM_DISK = {errno.ENOSPC, errno.ENOENT, errno.ECONNREFUSED}


def answer_to(error: Exception) -> Answer | None:
    """Return how a refusal is told; None for what is no refusal but a fault of ours."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    if database_is_away(error):
        return Answer(503)
    return None


def database_is_away(error: BaseException) -> bool:
    """Say whether the database could not be reached, or could not work: stopped, restarting, full."""
    if isinstance(error, IntegrityError):
        return False
    if isinstance(error, _OUT_OF_REACH):
        return True
    if isinstance(error, OperationalError):
        return any(database_is_away(cause) for cause in error.args if isinstance(cause, BaseException))
    return isinstance(error, OSError) and error.errno in _NO_ANSWER_FROM_DISK


def in_words(refused: Invalid) -> dict[str, str]:
    """Return what is wrong with each field, in the language in force."""
    return {name: gettext(why) for name, why in refused.fields.items()}


def sentence_for(error: Exception, answer: Answer) -> str | None:
    """Return the sentence to show for a refusal, in the language in force; None when its page says it all."""
    if isinstance(error, Invalid):
        return " ".join(dict.fromkeys(in_words(error).values()))
    return str(answer.sentence) if answer.sentence else None


def unmapped() -> set[type[Refusal]]:
    """Return the refusals without a line of their own, among those known so far."""
    found: set[type[Refusal]] = set()
    waiting = Refusal.__subclasses__()
    while waiting:
        found.add(kind := waiting.pop())
        waiting.extend(kind.__subclasses__())
    return {kind for kind in found if kind not in ANSWERS}
