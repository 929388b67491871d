"""In which role somebody acts on bills."""

from auth.errors import NotPermitted
from auth.rules import GRANTS, Actor, Permission


def issuing_role(by: Actor) -> str:
    """Return the role that lets somebody issue bills; the portal's own work names itself; NotPermitted for others."""
    if by.is_system:
        return "system"
    held = sorted(role for role in by.roles if Permission.BILLS_ISSUE in GRANTS[role])
    if not held:
        raise NotPermitted(Permission.BILLS_ISSUE)
    return held[0]
