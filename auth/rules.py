"""Who may do what. Pure values: roles, permissions, and the table that joins them."""

import datetime as dt
import enum
import uuid
from dataclasses import dataclass, field


class OrganisationKind(enum.StrEnum):
    """What an organisation is in the standard's terms (3.1–3.3)."""

    AGENCY = "agency"
    PROVIDER = "provider"
    CENTRAL = "central"
    AUDITOR = "auditor"


class Role(enum.StrEnum):
    """What a person is in one organisation; seed B clause 3 names the desk's."""

    OFFICIAL = "official"
    APPROVER = "approver"
    FINANCE = "finance"
    AGENCY_ADMIN = "agency_admin"
    REVIEWER = "reviewer"
    HELPDESK = "helpdesk"
    SECTION_HEAD = "section_head"
    TECHNICIAN = "technician"
    PROVIDER_FINANCE = "provider_finance"
    MANAGER = "manager"
    PROVIDER_ADMIN = "provider_admin"
    CENTRAL = "central"
    AUDITOR = "auditor"


ROLES_OF: dict[OrganisationKind, tuple[Role, ...]] = {
    OrganisationKind.AGENCY: (Role.OFFICIAL, Role.APPROVER, Role.FINANCE, Role.AGENCY_ADMIN),
    OrganisationKind.PROVIDER: (
        Role.REVIEWER,
        Role.HELPDESK,
        Role.SECTION_HEAD,
        Role.TECHNICIAN,
        Role.PROVIDER_FINANCE,
        Role.MANAGER,
        Role.PROVIDER_ADMIN,
    ),
    OrganisationKind.CENTRAL: (Role.CENTRAL,),
    OrganisationKind.AUDITOR: (Role.AUDITOR,),
}


class Permission(enum.StrEnum):
    """One thing a route may ask for."""

    OWN_ACCOUNT = "own_account"  # every signed-in person: own sessions, switching organisation
    AGENCY_READ = "agency_read"
    AGENCY_EDIT = "agency_edit"
    CATALOGUE_READ = "catalogue_read"
    CATALOGUE_EDIT = "catalogue_edit"
    PRICES_BACKDATE = "prices_backdate"
    CAPACITY_READ = "capacity_read"
    CAPACITY_EDIT = "capacity_edit"
    HOLIDAYS_EDIT = "holidays_edit"
    PROVIDERS_LIST = "providers_list"
    SERVICES_READ = "services_read"
    REQUESTS_READ = "requests_read"
    REQUESTS_MAKE = "requests_make"
    REQUESTS_CONFIRM = "requests_confirm"
    REQUESTS_REVIEW = "requests_review"
    WORK_READ = "work_read"
    WORK_DO = "work_do"
    COSTS_READ = "costs_read"
    BUDGETS_EDIT = "budgets_edit"
    USAGE_ACKNOWLEDGE = "usage_acknowledge"  # checking a month's usage, and objecting to it (13.2)
    DISPUTES_JOIN = "disputes_join"
    BILLS_ISSUE = "bills_issue"
    TAXES_EDIT = "taxes_edit"  # general rates by the central agency, its own by a provider
    USAGE_ENTER = "usage_enter"
    USAGE_CORRECT = "usage_correct"
    USERS_GRANT = "users_grant"
    MACHINES_ADMIT = "machines_admit"
    INCIDENTS_READ = "incidents_read"
    INCIDENTS_READ_AGENCY = "incidents_read_agency"  # all of one's agency, not only one's own (seed B 3(1))
    INCIDENTS_REPORT = "incidents_report"
    INCIDENTS_LOG = "incidents_log"
    INCIDENTS_ASSIGN = "incidents_assign"
    INCIDENTS_WORK = "incidents_work"
    SLA_EDIT = "sla_edit"
    DESK_OVERVIEW = "desk_overview"
    KNOWLEDGE_EDIT = "knowledge_edit"
    SECTIONS_KEEP = "sections_keep"
    STAFF_READ = "staff_read"
    STAFF_KEEP = "staff_keep"
    CHANNELS_READ = "channels_read"  # how the desk is written to by mail and LINE, and whether it works
    CHANNELS_EDIT = "channels_edit"
    AUDIT_READ = "audit_read"
    CLOCK_MOVE = "clock_move"


_P = Permission
_EVERYONE = {_P.OWN_ACCOUNT, _P.CATALOGUE_READ}
_AGENCY = _EVERYONE | {_P.AGENCY_READ, _P.SERVICES_READ, _P.REQUESTS_READ}
_REPORTS = {_P.INCIDENTS_READ, _P.INCIDENTS_REPORT}
_CHECKS = {_P.COSTS_READ, _P.USAGE_ACKNOWLEDGE, _P.DISPUTES_JOIN}
_STAFF = _EVERYONE | {_P.AGENCY_READ, _P.SERVICES_READ, _P.REQUESTS_READ, _P.WORK_READ, _P.CAPACITY_READ}
_OVERSIGHT = _EVERYONE | {
    _P.AGENCY_READ,
    _P.SERVICES_READ,
    _P.REQUESTS_READ,
    _P.WORK_READ,
    _P.COSTS_READ,
    _P.AUDIT_READ,
    _P.INCIDENTS_READ,
    _P.DESK_OVERVIEW,
    _P.STAFF_READ,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OFFICIAL: frozenset(_AGENCY | _REPORTS | _CHECKS | {_P.REQUESTS_MAKE, _P.AGENCY_EDIT}),
    Role.APPROVER: frozenset(
        _AGENCY | _REPORTS | _CHECKS | {_P.REQUESTS_MAKE, _P.REQUESTS_CONFIRM, _P.INCIDENTS_READ_AGENCY}
    ),
    Role.FINANCE: frozenset(_AGENCY | _CHECKS | {_P.BUDGETS_EDIT}),
    Role.AGENCY_ADMIN: frozenset(
        _AGENCY
        | _REPORTS
        | {_P.AGENCY_EDIT, _P.USERS_GRANT, _P.MACHINES_ADMIT, _P.AUDIT_READ, _P.INCIDENTS_READ_AGENCY}
    ),
    Role.REVIEWER: frozenset(_STAFF | {_P.REQUESTS_REVIEW, _P.WORK_DO, _P.CAPACITY_EDIT}),
    Role.HELPDESK: frozenset(_STAFF | {_P.INCIDENTS_READ, _P.INCIDENTS_LOG, _P.KNOWLEDGE_EDIT, _P.CHANNELS_READ}),
    Role.SECTION_HEAD: frozenset(
        _STAFF
        | {_P.WORK_DO, _P.INCIDENTS_READ, _P.INCIDENTS_ASSIGN, _P.SLA_EDIT, _P.KNOWLEDGE_EDIT, _P.STAFF_READ}
        | {_P.SECTIONS_KEEP}
    ),
    Role.TECHNICIAN: frozenset(_STAFF | {_P.WORK_DO, _P.INCIDENTS_READ, _P.INCIDENTS_WORK, _P.USAGE_ENTER}),
    Role.PROVIDER_FINANCE: frozenset(
        _STAFF
        | {
            _P.COSTS_READ,
            _P.DISPUTES_JOIN,
            _P.BILLS_ISSUE,
            _P.TAXES_EDIT,
            _P.CATALOGUE_EDIT,
            _P.USAGE_ENTER,
            _P.USAGE_CORRECT,
        }
    ),
    Role.MANAGER: frozenset(
        _STAFF
        | {
            _P.COSTS_READ,
            _P.CATALOGUE_EDIT,
            _P.PRICES_BACKDATE,
            _P.CAPACITY_EDIT,
            _P.HOLIDAYS_EDIT,
            _P.AUDIT_READ,
            _P.INCIDENTS_READ,
            _P.DESK_OVERVIEW,
            _P.STAFF_READ,
            _P.STAFF_KEEP,
            _P.SECTIONS_KEEP,
        }
    ),
    # Seed B 3(6): grants rights and only that; no ticket, request or bill content.
    Role.PROVIDER_ADMIN: frozenset(
        {
            _P.OWN_ACCOUNT,
            _P.SECTIONS_KEEP,
            _P.USERS_GRANT,
            _P.MACHINES_ADMIT,
            _P.CHANNELS_READ,
            _P.CHANNELS_EDIT,
            _P.AUDIT_READ,
            _P.CLOCK_MOVE,
        }
    ),
    Role.CENTRAL: frozenset(_OVERSIGHT | {_P.PROVIDERS_LIST, _P.TAXES_EDIT, _P.USERS_GRANT}),
    Role.AUDITOR: frozenset(_OVERSIGHT),
}


@dataclass(frozen=True, slots=True)
class Seat:
    """An organisation as its member sees it."""

    id: uuid.UUID
    kind: OrganisationKind
    code: str
    name_th: str
    name_en: str

    def name(self, language: str) -> str:
        """Return the organisation's name in "th" or "en"."""
        return self.name_en if language == "en" else self.name_th


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which organisation, in which roles. The system's own work has no seat."""

    name: str
    person_id: uuid.UUID | None = None
    seat: Seat | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    authenticated_at: dt.datetime | None = None
    session_id: uuid.UUID | None = None
    # Roles lent by a colleague for an absence, with the colleague's name.
    lent: tuple[tuple[Role, str], ...] = ()

    @property
    def agency_id(self) -> uuid.UUID | None:
        """The agency acted for, or None for everybody else."""
        return self._seat_of(OrganisationKind.AGENCY)

    @property
    def provider_id(self) -> uuid.UUID | None:
        """The provider acted for, or None for everybody else."""
        return self._seat_of(OrganisationKind.PROVIDER)

    @property
    def oversees(self) -> bool:
        """Whether the actor reads across agencies: the central agency and auditors (standard 7.6, 11.2)."""
        return self.seat is not None and self.seat.kind in {
            OrganisationKind.CENTRAL,
            OrganisationKind.AUDITOR,
        }

    @property
    def is_system(self) -> bool:
        """Whether this is the portal's own work: a job, the command line, signing in."""
        return self.person_id is None and self.seat is None

    def stands_in_for(self, role: Role) -> str | None:
        """Return the name of the colleague who lent the role, None where it is held or not at all."""
        return dict(self.lent).get(role)

    def may(self, permission: Permission | str) -> bool:
        """Return whether any role held grants the permission."""
        return any(permission in GRANTS[role] for role in self.roles)

    def _seat_of(self, kind: OrganisationKind) -> uuid.UUID | None:
        return self.seat.id if self.seat and self.seat.kind is kind else None


def system(work: str) -> Actor:
    """Return the actor for the portal's own work, named for what it does."""
    return Actor(name=work)
