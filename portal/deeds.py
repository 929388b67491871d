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
    "role.lent": lazy("Lent a role for an absence"),
    "role.taken_back": lazy("Took back a lent role"),
    "organisation.edited": lazy("Edited the organisation"),
    "organisation.asker_may_confirm": lazy("Set whether the one who asked may confirm"),
    "coordinator.added": lazy("Added a coordinator"),
    "coordinator.edited": lazy("Edited a coordinator"),
    "coordinator.ended": lazy("Removed a coordinator"),
    # Machines and what they measure
    "client.made": lazy("Let a machine in"),
    "client.revoked": lazy("Revoked a machine's token"),
    "reference.mapped": lazy("Named a service as the provider's systems call it"),
    "usage.entered": lazy("Entered usage by hand"),
    "usage.corrected": lazy("Corrected usage"),
    # Services and requests
    "service.opened": lazy("Opened a service"),
    "service.altered": lazy("Changed a service"),
    "service.end_announced": lazy("Announced the end of a service"),
    "service.kept": lazy("Took back the end of a service"),
    "service.ended": lazy("Ended a service"),
    "request.drafted": lazy("Drafted a request"),
    "request.edited": lazy("Edited a request"),
    "request.attached": lazy("Attached a file to a request"),
    "request.detached": lazy("Removed a file from a request"),
    "request.message": lazy("Wrote a message on a request"),
    "request.assigned": lazy("Assigned a request"),
    "request.submit": lazy("Submitted a request"),
    "request.accept": lazy("Took up a request"),
    "request.return": lazy("Returned a request"),
    "request.reject": lazy("Rejected a request"),
    "request.check_request": lazy("Checked a request itself"),
    "request.check_capacity": lazy("Checked a request's capacity"),
    "request.check_cost": lazy("Checked a request's cost"),
    "request.quote": lazy("Quoted a request"),
    "request.void": lazy("Voided a quote"),
    "request.confirm": lazy("Confirmed a quote"),
    "request.decline": lazy("Declined a quote"),
    "request.expire": lazy("Let the time to confirm run out"),
    "request.withdraw": lazy("Withdrew a request"),
    "request.start": lazy("Started a work order"),
    "request.progress_note": lazy("Reported progress"),
    "request.progress": lazy("Finished a step of the work"),
    "request.step_failed": lazy("Reported a step that failed"),
    "request.complete": lazy("Completed a request"),
    "request.reopen": lazy("Reopened a request"),
    "request.undone": lazy("Undid a request before it took effect"),
    # Catalogue, money and reference data
    "offering.added": lazy("Added a service to the catalogue"),
    "offering.edited": lazy("Edited a service of the catalogue"),
    "addon.added": lazy("Added an add-on to the catalogue"),
    "component.added": lazy("Added a component to the catalogue"),
    "component.edited": lazy("Edited a component of the catalogue"),
    "pool.resized": lazy("Changed the capacity there is"),
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
