"""The desk with a mailbox and a LINE account, and the servers beyond them."""

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from auth.people.models import Person
from auth.rules import Actor, system
from auth.tenancy import acting_as
from portal.sealing import seal
from portal.settings import Mode, Settings
from services.callers.commands import remember
from services.channels.commands import Post, set_line, set_mailbox
from services.channels.models import LineAccount, Mailbox
from services.channels.rules import Security
from tests.cast import actor
from tests.portal.channels.servers import SECRET, Imap, Line, dovecot, line_platform, smtp
from tests.portal.channels.servers import Post as Smtp
from tests.services.incidents.desk import LONG_AGO, Desk, staffed

ADDRESS = "help@provider.example"
CHANNEL_SECRET, ACCESS_TOKEN = "channel-secret-of-the-tests", "access-token-of-the-tests"


@pytest.fixture(scope="session")
def imap() -> Iterator[Imap]:
    with dovecot() as server:
        yield server


@pytest.fixture
def post() -> Iterator[Smtp]:
    with smtp() as server:
        yield server


@pytest.fixture
def platform() -> Iterator[Line]:
    with line_platform() as server:
        yield server


@pytest.fixture
async def desk(database: str) -> Desk:
    """The desk, whose provider serves agencies ก. and ข."""
    made = await staffed()
    assert made.helpdesk.provider_id
    for who in (made.official, made.stranger):
        assert who.agency_id
        async with acting_as(system("tests")):
            await remember(who.agency_id, made.helpdesk.provider_id, name="ผู้โทร", phone="1111", now=LONG_AGO)
    return made


@pytest.fixture
def settings(platform: Line) -> Settings:
    key = SecretStr("a-key-of-the-tests-0123456789-abcdef")
    return Settings(mode=Mode.TEST, secret_keys=(key,), line_api_url=platform.url, line_data_url=platform.url)


@pytest.fixture
async def mailbox(desk: Desk, imap: Imap, post: Smtp, settings: Settings) -> Mailbox:
    """The provider's mailbox, under a user name of its own so that each test finds it empty."""
    facts = Post(
        address=ADDRESS,
        host="127.0.0.1",
        port=imap.port,
        security=Security.NONE,
        user_name=f"desk-{uuid.uuid4().hex}",
        sealed_secret=seal(SECRET, settings.secret_keys),
        folder="INBOX",
        smtp_host="127.0.0.1",
        smtp_port=post.port,
        smtp_security=Security.NONE,
        smtp_signs_in=False,
        vouched_by="",
        is_on=True,
    )
    admin = await actor("admin")
    return await desk.do(admin, set_mailbox(facts, to_this_machine=True, by=admin, now=LONG_AGO))


@pytest.fixture
async def account(desk: Desk, settings: Settings) -> LineAccount:
    """The provider's LINE official account."""
    admin = await actor("admin")
    sealed = [seal(secret, settings.secret_keys) for secret in (CHANNEL_SECRET, ACCESS_TOKEN)]
    return await desk.do(admin, set_line("@desk", *sealed, is_on=True, by=admin, now=LONG_AGO))


async def address_of(who: Actor) -> str:
    """Return the mail address of somebody of the cast."""
    async with acting_as(system("tests")):
        return (await Person.get(id=who.person_id)).email
