"""Many requests that await confirmation, copied from one that went the whole way there."""

from dataclasses import dataclass

from auth.fields import new_id
from auth.rules import system
from auth.tenancy import acting_as, rows
from services.requests import commands as requests
from services.requests.models import Quote, RequestItem, ServiceRequest
from services.requests.rules import Kind, State, fingerprint
from tests.stage import Stage, at

NOW = at("2026-12-08", "10:05")
MACHINE = {"vcpu": "1", "ram": "2", "ssd": "50"}


@dataclass(frozen=True)
class Awaiting:
    """A request that awaits confirmation, with the SHA-256 of its quote."""

    request: ServiceRequest
    sha256: str


async def awaiting(stage: Stage, many: int) -> list[Awaiting]:
    """Return so many requests of agency ก. awaiting confirmation, each with a quote of its own that holds."""
    first = await stage.draft("a", Kind.NEW, "VM", MACHINE, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, first.id, now=NOW)
    quote = await stage.review(first.id, accepted=NOW, quoted=NOW)
    first = await stage.request(first.id)
    assert first.state is State.AWAITING_CONFIRMATION
    made: list[ServiceRequest] = []
    quotes: list[Quote] = []
    for number in range(1, many + 1):
        request = ServiceRequest(**_facts(first) | {"id": new_id(), "number": f"{first.number}-{number}"})
        document = quote.document | {"request": request.number}
        copied = _facts(quote) | {"id": new_id(), "request_id": request.id, "document": document}
        quotes.append(Quote(**copied | {"sha256": fingerprint(document)}))
        request.quote_id = None
        made.append(request)
    async with acting_as(system("test")):
        items = await RequestItem.filter(request_id=first.id)
        await ServiceRequest.bulk_create(made)
        await Quote.bulk_create(quotes)
        await RequestItem.bulk_create(
            RequestItem(**_facts(item) | {"id": new_id(), "request_id": request.id})
            for request in made
            for item in items
        )
        ids = [request.id for request in made]
        await rows(
            "UPDATE service_request SET quote_id = quote.id FROM quote"
            " WHERE quote.request_id = service_request.id AND service_request.id = ANY($1::uuid[]) RETURNING 1",
            ids,
        )
        # What each of them holds, and the room for it.
        await rows(
            "WITH made AS (INSERT INTO hold (id, agency_id, provider_id, request_id, pool_id, quantity, state, held_at)"
            " SELECT gen_random_uuid(), agency_id, provider_id, request, pool_id, quantity, state, held_at"
            " FROM hold, unnest($2::uuid[]) request WHERE request_id = $1 RETURNING pool_id, quantity)"
            " UPDATE pool SET held = held + more, size = size + more FROM"
            " (SELECT pool_id, sum(quantity) more FROM made GROUP BY 1) of_pool"
            " WHERE pool.id = of_pool.pool_id RETURNING pool.id",
            first.id,
            ids,
        )
    return [Awaiting(request, each.sha256) for request, each in zip(made, quotes, strict=True)]


def _facts(thing: ServiceRequest | Quote | RequestItem) -> dict[str, object]:
    return {name: getattr(thing, name) for name in thing._meta.db_fields if name in thing._meta.fields_db_projection}
