"""Finding who is calling."""

import uuid

from tortoise.expressions import Q

from auth.tenancy import scoped
from services.callers.models import Caller

_ENOUGH_DIGITS = 4


def digits_of(phone: str) -> str:
    """Return a phone number's digits, Thailand's +66 written as 0."""
    digits = "".join(str(int(sign)) for sign in phone if sign.isdecimal())
    return "0" + digits[2:] if digits.startswith("66") and len(digits) > 9 else digits


async def find_callers(text: str, *, agency_id: uuid.UUID | None = None, limit: int = 10) -> list[Caller]:
    """Return the callers whose phone number ends so, or whose name or e-mail holds the text, the latest first."""
    text, digits = text.strip(), digits_of(text)
    if not text:
        return []
    found = Q(name__icontains=text) | Q(email__icontains=text)
    if len(digits) >= _ENOUGH_DIGITS:
        found |= Q(phone_digits__endswith=digits)
    callers = scoped(Caller).filter(found)
    if agency_id:
        callers = callers.filter(agency_id=agency_id)
    return await callers.order_by("-seen_at").limit(limit)


async def caller_by(
    provider_id: uuid.UUID, *, email: str = "", line_user_id: str = "", phone: str = ""
) -> Caller | None:
    """Return who writes from that e-mail address, LINE account or number; None when nobody, or several, do.

    For mail and LINE coming in: an address known to two agencies is nobody's until the desk says whose.
    """
    known = scoped(Caller).filter(provider_id=provider_id)
    if line_user_id:
        known = known.filter(line_user_id=line_user_id)
    elif email:
        known = known.filter(email=email.strip().lower())
    elif phone:
        known = known.filter(phone_digits=digits_of(phone))
    else:
        return None
    found = await known.limit(2)
    return found[0] if len(found) == 1 else None
