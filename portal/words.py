"""The words for roles and kinds of organisation, as the glossary has them."""

from typing import Final

from auth.rules import OrganisationKind, Role
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _

ROLES: Final[dict[Role, Lazy]] = {
    Role.OFFICIAL: lazy("Official"),
    Role.APPROVER: lazy("Approver"),
    Role.FINANCE: lazy("Finance"),
    Role.AGENCY_ADMIN: lazy("Agency administrator"),
    Role.REVIEWER: lazy("Reviewer"),
    Role.HELPDESK: lazy("Help-desk"),
    Role.SECTION_HEAD: lazy("Section head/delegate"),
    Role.TECHNICIAN: lazy("Technician"),
    Role.PROVIDER_FINANCE: lazy("Provider's finance"),
    Role.MANAGER: lazy("Manager"),
    Role.PROVIDER_ADMIN: lazy("Administrator"),
    Role.CENTRAL: lazy("Central agency"),
    Role.AUDITOR: lazy("Auditor"),
}

KINDS: Final[dict[OrganisationKind, Lazy]] = {
    OrganisationKind.AGENCY: lazy("Government agency"),
    OrganisationKind.PROVIDER: lazy("Provider"),
    OrganisationKind.CENTRAL: lazy("Central agency"),
    OrganisationKind.AUDITOR: lazy("Auditor"),
}

# What `system()` calls the portal's own work where pages tell who did something.
_OWN_WORK: Final = frozenset({"reference data", "demo", "help desk", "deadlines", "mail", "line", "answering"})


def who(name: str) -> str:
    """Return a person's name as it is; for the portal's own work, say that nobody did it."""
    return _("The portal, by itself") if not name or name in _OWN_WORK else name
