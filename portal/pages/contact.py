"""How to reach the help-desk and the providers, at any hour (standard 7.4, seed B 4–5)."""

from starlette.responses import Response

from auth.organisations.queries import providers_to_reach
from auth.rules import system
from auth.tenancy import unit_of_work
from portal.visit import Visit
from services.calendar.rules import EIGHT, SIXTEEN


async def show(visit: Visit) -> Response:
    """Show the channels to anybody: a stranger who cannot sign in needs them most."""
    found = await unit_of_work(system("contact"), providers_to_reach)
    return visit.render("contact/show.html", providers=found, opens=EIGHT, closes=SIXTEEN)
