"""What the channels' settings, the help-desk's inbox and the contact page show."""

import uuid
from dataclasses import dataclass

from auth.errors import NotFound
from auth.tenancy import one, scoped
from services.channels.models import Arrival, ArrivalFile, LineAccount, Mailbox, Reply
from services.channels.rules import ArrivalState, ReplyState


@dataclass(frozen=True, slots=True)
class Offered:
    """How a provider's desk is written to, as far as it is set up and turned on."""

    email: str = ""
    line: str = ""


async def mailbox_of(provider_id: uuid.UUID) -> Mailbox | None:
    """Return a provider's mailbox, also one that is turned off."""
    return await scoped(Mailbox).filter(provider_id=provider_id).first()


async def line_of(provider_id: uuid.UUID) -> LineAccount | None:
    """Return a provider's LINE account, also one that is turned off."""
    return await scoped(LineAccount).filter(provider_id=provider_id).first()


async def offered() -> dict[uuid.UUID, Offered]:
    """Return what every provider is reached by, by its id; two queries, run as the system."""
    mail = {each.provider_id: each.address for each in await Mailbox.filter(is_on=True)}
    line = {each.provider_id: each.basic_id for each in await LineAccount.filter(is_on=True)}
    return {each: Offered(mail.get(each, ""), line.get(each, "")) for each in mail.keys() | line.keys()}


async def arrivals(state: ArrivalState, *, page: int, size: int) -> tuple[list[Arrival], int]:
    """Return one page of what arrived in a state, and how many there are: what waits the oldest first."""
    found = scoped(Arrival).filter(state=state)
    order = ("received_at", "id") if state is ArrivalState.WAITING else ("-received_at", "-id")
    return await found.order_by(*order).offset((page - 1) * size).limit(size), await found.count()


async def waiting_count() -> int:
    """Return how much waits to be sorted."""
    return await scoped(Arrival).filter(state=ArrivalState.WAITING).count()


async def arrival(arrival_id: uuid.UUID) -> tuple[Arrival, list[ArrivalFile]]:
    """Return one thing that arrived, with its files but not their content; NotFound for another provider's."""
    found = await one(Arrival, id=arrival_id)
    files = scoped(ArrivalFile).filter(arrival_id=arrival_id).order_by("added_at", "id")
    return found, await files.only("id", *ArrivalFile.LISTED)


async def arrival_file(arrival_id: uuid.UUID, file_id: uuid.UUID) -> ArrivalFile:
    """Return a file of something that arrived, with its content."""
    found = await scoped(ArrivalFile).filter(id=file_id, arrival_id=arrival_id).first()
    if found is None:
        raise NotFound("ArrivalFile")
    return found


async def failed_replies() -> list[Reply]:
    """Return the answers that were given up, the latest first."""
    return await scoped(Reply).filter(state=ReplyState.FAILED).order_by("-created_at").limit(50)
