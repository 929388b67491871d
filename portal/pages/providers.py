"""The provider list (บัญชีผู้ให้บริการ): everybody reads it, the central agency keeps it (standard 12.2–12.3, 13.1)."""

import uuid
from dataclasses import dataclass

from starlette.responses import Response

from auth.errors import Invalid, NotFound
from auth.organisations.models import Organisation
from auth.rules import OrganisationKind, Permission
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.catalogue import FAMILIES
from portal.refusals import in_words
from portal.visit import Visit
from services.catalogue.rules import Family
from services.oversight.commands import list_provider, revoke
from services.oversight.models import Listing
from services.oversight.queries import listings

# Raised below this page with these words.
REASONS = (lazy("Say why."),)


@dataclass(frozen=True, slots=True)
class Entry:
    """One provider with its standing families and what was revoked."""

    provider: Organisation
    standing: tuple[Listing, ...]
    revoked: tuple[Listing, ...]

    @property
    def unlisted(self) -> list[Family]:
        """The families it is not on the list for."""
        families = {listing.family for listing in self.standing}
        return [family for family in Family if family not in families]


async def show(visit: Visit) -> Response:
    """Show every provider, for which families it is listed, and since when it no longer is."""
    providers = await Organisation.filter(kind=OrganisationKind.PROVIDER).order_by("code")
    entries = await listings()
    return visit.render(
        "providers/index.html",
        entries=[
            Entry(
                provider,
                tuple(e for e in entries if e.provider_id == provider.id and e.revoked_on is None),
                tuple(e for e in entries if e.provider_id == provider.id and e.revoked_on is not None),
            )
            for provider in providers
        ],
        families=FAMILIES,
        keeps=visit.by.may(Permission.PROVIDERS_LIST),
    )


async def enter(visit: Visit) -> Response:
    """Enter a provider on the list for a family."""
    provider_id, family = _which(visit)
    await list_provider(provider_id, family, by=visit.by, now=visit.now)
    visit.flash(_("The provider is on the list for this kind of service."))
    return visit.redirect("providers")


async def ask_revocation(visit: Visit) -> Response:
    """Ask why a provider is taken off the list, and say what that does."""
    return await _question(visit, {})


async def take_off(visit: Visit) -> Response:
    """Take a provider off the list for a family; existing services go on."""
    provider_id, family = _which(visit)
    try:
        await revoke(provider_id, family, visit.form.get("reason"), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _question(visit, in_words(refused))
    visit.flash(_("The provider takes no new request for this kind of service; existing services go on."))
    return visit.redirect("providers")


async def _question(visit: Visit, errors: dict[str, str]) -> Response:
    provider_id, family = _which(visit)
    provider = await Organisation.filter(id=provider_id, kind=OrganisationKind.PROVIDER).first()
    if provider is None:
        raise NotFound("Organisation")
    return visit.render(
        "providers/revoke.html",
        status=422 if errors else 200,
        provider=provider,
        family=family,
        family_name=FAMILIES[family],
        errors=errors,
        reason=visit.form.get("reason") if errors else "",
    )


def _which(visit: Visit) -> tuple[uuid.UUID, Family]:
    try:
        return visit.params["id"], Family(visit.params["family"])
    except ValueError:
        raise NotFound("Family") from None
