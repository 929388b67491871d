"""What the audit trail calls by code, in plain words. A code without words here is shown as it is."""

from typing import Final

from portal.i18n import Lazy, lazy

DEEDS: Final[dict[str, Lazy]] = {
    # People and sessions
    "session.began": lazy("Signed in"),
    "session.ended": lazy("Signed out"),
    "session.ended_everywhere": lazy("Signed out on every device"),
    "session.ended_by_provider": lazy("Signed out by the sign-in system"),
    "session.switched": lazy("Switched to the organisation"),
    "sign_in.refused": lazy("Sign-in refused"),
    "logout_notice.refused": lazy("Notice of a sign-out refused"),
    "access.asked": lazy("Asked for access"),
    "access.refused": lazy("Refused access"),
    "access.denied": lazy("Was denied"),
    "role.granted": lazy("Granted a role"),
    "role.revoked": lazy("Revoked a role"),
    # Services and requests
    "service.opened": lazy("Opened a service"),
    "service.altered": lazy("Changed a service"),
    "service.end_announced": lazy("Announced the end of a service"),
    "service.kept": lazy("Took back the end of a service"),
    "service.ended": lazy("Ended a service"),
    "request.drafted": lazy("Drafted a request"),
    "request.submitted": lazy("Submitted a request"),
    "request.accepted": lazy("Took up a request"),
    "request.returned": lazy("Returned a request"),
    "request.rejected": lazy("Rejected a request"),
    "request.checked": lazy("Recorded a check of a request"),
    "request.quoted": lazy("Quoted a request"),
    "request.voided": lazy("Voided a quote"),
    "request.confirmed": lazy("Confirmed a quote"),
    "request.declined": lazy("Declined a quote"),
    "request.expired": lazy("Let the time to confirm run out"),
    "request.withdrawn": lazy("Withdrew a request"),
    "request.started": lazy("Started a work order"),
    "request.progressed": lazy("Reported progress"),
    "request.completed": lazy("Completed a request"),
    "request.reopened": lazy("Reopened a request"),
    # Money and reference data
    "price.set": lazy("Set a price"),
    "ceiling.set": lazy("Set a ceiling price"),
    "tax_rate.set": lazy("Set a tax rate"),
    "budget.set": lazy("Set a budget"),
    "statement.issued": lazy("Issued a statement"),
    "holiday.declared": lazy("Declared a holiday"),
    "holiday.withdrawn": lazy("Withdrew a holiday"),
    "reference.loaded": lazy("Loaded reference data"),
    "clock.moved": lazy("Moved the demo clock"),
}


def in_words(action: str) -> str:
    """Return an action in plain words of the language in force, or its code where there are none."""
    return str(DEEDS.get(action, action))
