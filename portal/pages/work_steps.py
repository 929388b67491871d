"""The steps of an offering's work orders, one line per step, by kind of request (annex ก 1.8)."""

from collections.abc import Mapping

from starlette.responses import Response

from auth.errors import Invalid
from auth.tenancy import one
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.requests import wording
from portal.refusals import in_words
from portal.visit import Visit
from services.catalogue.models import Offering
from services.requests.rules import STEPS, Kind
from services.requests.steps import own_steps_of, set_steps

# Raised below pages with these words.
REASONS = (
    lazy("At most twenty steps."),
    lazy("Write each step on a line of its own, in Thai and in English: ไทย | English."),
)


async def show(visit: Visit) -> Response:
    """Show an offering's own steps by kind, and the usual ones where it has none."""
    return await _page(visit, {}, {})


async def save(visit: Visit) -> Response:
    """Set the steps of every kind; what is refused is shown again as typed."""
    try:
        for kind in Kind:
            await set_steps(visit.params["id"], kind, _read(visit.form.get(kind)), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, visit.form.values(), in_words(refused), status=422)
    visit.flash(_("The steps were saved. Work orders given from now on take them."))
    return visit.redirect("offering.steps", id=visit.params["id"])


def _read(text: str) -> list[tuple[str, str]]:
    parted = [line.partition("|") for line in text.splitlines() if line.strip()]
    return [(th.strip(), en.strip()) for th, _bar, en in parted]


def _written(steps: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    return "\n".join(f"{th} | {en}" for th, en in steps)


async def _page(visit: Visit, values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    offering = await one(Offering, id=visit.params["id"])
    own = await own_steps_of(offering.id)
    return visit.render(
        "catalogue_edit/steps.html",
        status=status,
        offering=offering,
        kinds=wording.KINDS,
        values={kind.value: _written(own.get(kind, [])) for kind in Kind} | dict(values),
        usual={kind: _written(STEPS[kind]) for kind in Kind},
        errors=errors,
    )
