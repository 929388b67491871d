"""The audit trail as its organisation reads it: who did what, and when (seed B 3(5), standard 11.2)."""

import datetime as dt
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.responses import Response

from auth.audit.models import AuditRecord
from auth.audit.queries import Sought, actions_in_reach, trail
from auth.rules import Role
from portal import words
from portal.areas import area_of
from portal.deeds import in_words
from portal.formats import BANGKOK, NotADate, parse_date
from portal.i18n import gettext as _
from portal.visit import Visit

_PER_PAGE = 50
_FURTHEST_PAGE = 100_000
_FILTERS = ("from", "to", "person", "action")


@dataclass(frozen=True, slots=True)
class Line:
    """A record as the page shows it."""

    at: dt.datetime
    actor: str
    deed: str
    is_denial: bool
    about: str  # what it was done to, as people call it
    facts: tuple[tuple[str, str], ...]


async def show(visit: Visit) -> Response:
    """Show a page of the trail within reach, filtered by day, person and action."""
    values = {name: visit.query.get(name) for name in _FILTERS}
    errors: dict[str, str] = {}
    sought = Sought(
        since=_day(values["from"], "from", errors),
        until=_day(values["to"], "to", errors, after=True),
        actor=values["person"][:100] or None,
        action=values["action"][:64] or None,
    )
    page = _page(visit.query.get("page"))
    records, total = await trail(visit.by, sought, page=page, per_page=_PER_PAGE)
    return visit.render(
        "audit_log/show.html",
        lines=[_line(record, visit.request.app) for record in records],
        total=total,
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
        actions=sorted(((code, in_words(code)) for code in await actions_in_reach(visit.by)), key=lambda item: item[1]),
        values=values,
        errors=errors,
        filtered=any(values.values()),
    )


def _line(record: AuditRecord, app: Starlette) -> Line:
    detail: dict[str, object] = record.detail
    facts = [(name, _plain(value)) for name, value in sorted(detail.items()) if value not in (None, "", {})]
    return Line(
        at=record.at,
        actor=record.actor,
        deed=in_words(record.action),
        is_denial=record.action in {"access.denied", "sign_in.refused", "logout_notice.refused"},
        about=_about(record, detail, app),
        facts=(("record", str(record.number)), (record.subject_type, record.subject_id), *facts),
    )


def _about(record: AuditRecord, detail: dict[str, object], app: Starlette) -> str:
    if "role" in detail and detail["role"] in set(Role):
        return str(words.ROLES[Role(str(detail["role"]))])
    if record.subject_type == "route":
        area = area_of(record.subject_id, app)
        if area is None:
            return record.subject_id
        return (
            _("%(area)s: to see it", area=area) if detail.get("method") == "GET" else _("%(area)s: a change", area=area)
        )
    return str(detail.get("number") or detail.get("name") or "")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(inner) for inner in value)
    return str(value)


def _day(text: str, name: str, errors: dict[str, str], *, after: bool = False) -> dt.datetime | None:
    """Return where a day begins in Bangkok, or with `after` where it ends; a wrong one is explained, not used."""
    if not text:
        return None
    try:
        day = parse_date(text) + dt.timedelta(days=after)
    except (NotADate, OverflowError):
        errors[name] = _("Give a day such as 16/12/2569.")
        return None
    return dt.datetime.combine(day, dt.time(), BANGKOK)


def _page(text: str) -> int:
    return min(max(int(text), 1), _FURTHEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
