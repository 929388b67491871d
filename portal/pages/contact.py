"""How to reach the help-desk and the providers, at any hour (standard 7.4, seed B 4–5)."""

from typing import Any

from starlette.responses import Response

from auth.organisations.queries import providers_to_reach
from auth.rules import system
from auth.tenancy import unit_of_work
from portal.visit import Visit
from services.calendar.rules import EIGHT, SIXTEEN
from services.channels.queries import offered


async def show(visit: Visit) -> Response:
    """Show the channels to anybody: a stranger who cannot sign in needs them most."""

    async def work() -> dict[str, Any]:
        return {"providers": await providers_to_reach(), "written": await offered()}

    found = await unit_of_work(system("contact"), work)
    return visit.render("contact/show.html", **found, opens=EIGHT, closes=SIXTEEN)
