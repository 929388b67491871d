"""A canary in every row of agency ข.: nobody of agency ก., and no other provider, ever hears it sing.

Each table of organisations gets a row of agency ข. whose every text is the canary and whose every id is the same, so
that one address reaches it through whatever noun a route names, tomorrow's tables and routes included.
"""

import datetime as dt
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from auth.clients.rules import Scope
from auth.organisations.founding import found
from auth.people.models import Membership, Person
from auth.rules import ROLES_OF, OrganisationKind, system
from auth.tenancy import acting_as, rows
from portal.edge import Door
from portal.embedded_postgres import SUPERUSER, Address
from tests.browsing import Browser
from tests.cast import FOUNDED, ISSUER, newcomer
from tests.portal.api.calling import machine
from tests.portal.pages.asking import stand
from tests.stage import Stage, at

BrowserFor = Callable[..., Awaitable[Browser]]

NOW = at("2026-12-04", "15:20")
CANARY: Final = "CanaryOfAgencyB"
MEMBERS: Final = ("official-a", "approver-a", "finance-a", "agency-admin-a")
# Where the visit ends, what asks the identity provider, and what asks another organisation on purpose.
NOT_WALKED: Final = {"sign_out", "sign_out.everywhere", "sign_in", "access.ask"}
# An agency's contact data is there for every provider to read.
TOLD_TO_PROVIDERS: Final = {"agency_of", "agencies"}
_SHORTEST = len(CANARY) + 4


@dataclass(frozen=True)
class Cage:
    """Agency ข., the one id all its canary rows go by, and the tables they are in."""

    agency_id: uuid.UUID
    row_id: uuid.UUID
    tables: tuple[str, ...]


@pytest.fixture
async def superuser(cluster: Address, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster.url(SUPERUSER, database))
    yield connection
    await connection.close()


@pytest.fixture
async def cage(stage: Stage, superuser: asyncpg.Connection) -> Cage:
    tables = await superuser.fetch(
        "SELECT c.oid, c.relname AS name, c.relkind AS kind FROM pg_class c"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped"
        "   AND a.attname IN ('agency_id', 'organisation_id', 'chain_id')) ORDER BY c.relname"
    )
    made = Cage(stage.agency("b"), uuid.uuid4(), tuple(table["name"] for table in tables))
    await superuser.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    count = itertools.count(1)
    for table in tables:
        for check in await superuser.fetch(
            "SELECT conname FROM pg_constraint WHERE conrelid = $1 AND contype IN ('c', 'x')", table["oid"]
        ):
            await superuser.execute(f'ALTER TABLE "{table["name"]}" DROP CONSTRAINT "{check["conname"]}"')
        if table["kind"] == b"p":
            await superuser.execute(f'CREATE TABLE "{table["name"]}_rest" PARTITION OF "{table["name"]}" DEFAULT')
        await _put(superuser, table["name"], made, stage.provider, count)
    await superuser.execute("UPDATE organisation SET phone = $2 WHERE id = $1", made.agency_id, f"{CANARY} phone")
    await superuser.execute("SET session_replication_role = origin")
    return made


async def _put(
    superuser: asyncpg.Connection, table: str, cage: Cage, provider_id: uuid.UUID, count: "itertools.count[int]"
) -> None:
    columns = await superuser.fetch(
        "SELECT column_name AS name, data_type AS type, character_maximum_length AS most,"
        " is_nullable = 'NO' AND column_default IS NULL AS needed FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'",
        table,
    )
    own = dict.fromkeys(("agency_id", "organisation_id", "chain_id"), cage.agency_id) | {"provider_id": provider_id}
    given = {c["name"]: own.get(c["name"]) or _value(c, cage, next(count)) for c in columns if _wanted(c, own)}
    names = ", ".join(f'"{name}"' for name in given)
    kinds = {c["name"]: c["type"] for c in columns}
    places = ", ".join(f"${n}::{kinds[name]}" for n, name in enumerate(given, 1))
    insert = f'INSERT INTO "{table}" ({names}) VALUES ({places}) ON CONFLICT DO NOTHING'  # noqa: S608 - of the catalog
    await superuser.execute(insert, *given.values())


def _wanted(column: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return column["needed"] or column["name"] in own or column["type"] in {"text", "character varying", "jsonb", "uuid"}


def _value(column: Mapping[str, Any], cage: Cage, number: int) -> Any:
    kind, most = column["type"], column["most"]
    if kind in {"text", "character varying"}:
        return f"{CANARY}{number}" if most is None or most >= _SHORTEST else str(number)[:most]
    values = {
        "uuid": cage.row_id,
        "jsonb": f'{{"number": "{CANARY}{number}", "label": "{CANARY}"}}',
        "bytea": f"%PDF-{CANARY}".encode(),
        "date": dt.date(2026, 12, 1),
        "timestamp with time zone": NOW,
        "boolean": False,
    }
    return values.get(kind, 1)


def _routes(app: Starlette, method: str) -> list[Route]:
    return [
        route
        for route in app.routes
        if isinstance(route, Route)
        and isinstance(route.app, Door)
        and route.app.page.method == method
        and route.name not in NOT_WALKED
    ]


def _path(route: Route, id_: uuid.UUID) -> str:
    words = {"code": "GI", "role": "official", "month": "2026-11", "year": "2570", "day": "2026-12-10"}
    kinds = {name: type(convertor).__name__ for name, convertor in route.param_convertors.items()}
    places = {name: id_ if kind == "UUIDConvertor" else words.get(name, "1") for name, kind in kinds.items()}
    return str(route.url_path_for(route.name, **places))


def _names_a_record(route: Route) -> bool:
    return any(type(convertor).__name__ == "UUIDConvertor" for convertor in route.param_convertors.values())


def _sings(answer: httpx2.Response) -> bool:
    return CANARY in answer.text or CANARY in str(answer.headers.raw)


def _fields(cage: Cage, id_: uuid.UUID) -> dict[str, str]:
    """Return a form that names agency ข. and its rows wherever a form could name anything."""
    ids = ("service", "offering", "request", "subscription", "incident", "statement", "component", "addon", "pool")
    people = ("reviewer", "to_person", "person", "caller", "assignee", "technician", "section", "article", "dispute")
    words = {"role": "official", "decision": "grant", "outcome": "passed", "note": "…", "reason": "…", "text": "…"}
    days = {"effective_on": "20/12/2569", "starts_at": "5/12/2569", "ends_at": "9/12/2569", "kind": "change"}
    owners = dict.fromkeys(("agency", "organisation"), str(cage.agency_id))
    return dict.fromkeys((*ids, *people), str(id_)) | words | days | owners | {"amount": "1", "quantity": "1"}


async def _listen(browser: Browser, cage: Cage, *, deaf_to: frozenset[str] = frozenset()) -> None:
    """Walk every page there is, by the ids of agency ข. and past them, with GET and HEAD."""
    for route in _routes(browser.app, "GET"):
        if route.name in deaf_to:
            continue
        asked = _fields(cage, cage.row_id)
        for id_ in (cage.row_id, cage.agency_id) if _names_a_record(route) else (cage.row_id,):
            path = _path(route, id_)
            for answer in (await browser.get(path), await browser.get(path, params=asked), await browser.head(path)):
                assert answer.status_code < 500, (route.name, answer.status_code)
                assert not _sings(answer), (route.name, path)
            if _names_a_record(route):
                nothing = await browser.get(_path(route, uuid.uuid4()))
                assert (await browser.get(path)).status_code == nothing.status_code, (route.name, path)


async def test_the_canary_sings_to_its_own(cage: Cage, stage: Stage, superuser: asyncpg.Connection) -> None:
    assert len(cage.tables) > 25
    silent = []
    for table in cage.tables:
        singing = f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE '%{CANARY}%'"  # noqa: S608
        if not await superuser.fetchval(singing):
            silent.append(table)
    assert len(silent) < 14, silent  # those of numbers and ids only
    async with acting_as(stage.cast["official-b"]):
        heard = await rows("SELECT id FROM service_request t WHERE t::text LIKE $1", f"%{CANARY}%")
    assert [row["id"] for row in heard] == [cage.row_id]


@pytest.mark.parametrize("who", MEMBERS)
async def test_no_page_shows_another_agencys_row(cage: Cage, browser_for: BrowserFor, who: str) -> None:
    browser = await browser_for(who)
    await stand(NOW, browser)
    await _listen(browser, cage)


async def test_no_page_shows_it_to_who_belongs_nowhere(cage: Cage, browser_for: BrowserFor) -> None:
    await newcomer()
    for who in (None, "newcomer"):
        browser = await browser_for(who)
        await stand(NOW, browser)
        await _listen(browser, cage)


async def test_no_page_shows_it_to_another_provider(cage: Cage, browser_for: BrowserFor) -> None:
    async with acting_as(system("tests")):
        names = ("ผู้ให้บริการอื่น", "Another provider")
        other = await found(OrganisationKind.PROVIDER, "other", "P9", names, (ISSUER, "other", "คนอื่น"), now=FOUNDED)
        person = await Person.get(issuer=ISSUER, subject="other")
        held = await Membership.filter(person_id=person.id).values_list("role", flat=True)
        for role in set(ROLES_OF[OrganisationKind.PROVIDER]) - set(held):
            await Membership.create(
                organisation_id=other.id, person_id=person.id, role=role, granted_by="tests", granted_at=FOUNDED
            )
    browser = await browser_for("other")
    await stand(NOW, browser)
    await _listen(browser, cage, deaf_to=frozenset(TOLD_TO_PROVIDERS))


async def test_no_machine_reads_it(cage: Cage, app: Starlette, browser_for: BrowserFor) -> None:
    await stand(NOW, await browser_for())
    await _listen(await machine(app, "agency-admin-a", Scope.REQUESTS_READ, Scope.REQUESTS_WRITE), cage)


@pytest.mark.parametrize("who", MEMBERS)
async def test_no_form_touches_another_agencys_row(
    cage: Cage, superuser: asyncpg.Connection, browser_for: BrowserFor, who: str
) -> None:
    browser = await browser_for(who)
    await stand(NOW, browser)
    before = await _kept(superuser, cage)
    for route in _routes(browser.app, "POST"):
        if not _names_a_record(route):
            answer = await browser.submit(_path(route, cage.row_id), _fields(cage, cage.row_id))
            assert answer.status_code < 500, route.name
            assert not _sings(answer), route.name
            continue
        path, nowhere = _path(route, cage.row_id), uuid.uuid4()
        answer = await browser.submit(path, _fields(cage, cage.row_id))
        nothing = await browser.submit(_path(route, nowhere), _fields(cage, nowhere))
        assert 400 <= answer.status_code < 500, (route.name, answer.status_code)
        assert answer.status_code == nothing.status_code, (route.name, answer.status_code, nothing.status_code)
        assert not _sings(answer), route.name
    assert await _kept(superuser, cage) == before


async def _kept(superuser: asyncpg.Connection, cage: Cage) -> dict[str, str]:
    """Return what agency ข. has, table by table; a denial that is told in its trail would be one row more."""
    kept = {}
    for table in cage.tables:
        columns = await superuser.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attname IN"
            " ('agency_id', 'organisation_id', 'chain_id')",
            table,
        )
        whose = " OR ".join(f"t.{column['attname']} = $1" for column in columns)
        sums = f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM \"{table}\" t WHERE {whose}"  # noqa: S608
        kept[table] = await superuser.fetchval(sums, cage.agency_id)
    return kept
