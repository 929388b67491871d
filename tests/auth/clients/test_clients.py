import dataclasses
import datetime as dt

import pytest

from auth.audit.models import AuditRecord
from auth.clients.commands import create, revoke
from auth.clients.models import Client
from auth.clients.queries import machine_of
from auth.clients.rules import Scope, is_token, new_token
from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.fields import new_id
from auth.rules import Actor, system
from auth.tenancy import acting_as, rows
from tests.cast import actor

NOW = dt.datetime(2026, 12, 4, 8, tzinfo=dt.UTC)


async def made(by: Actor, name: str = "meters") -> tuple[Client, str]:
    async with acting_as(by):
        issued = await create(name, [Scope.USAGE_WRITE], by=by, now=NOW)
    return issued.client, issued.token


async def holder(token: str, at: dt.datetime = NOW) -> str | None:
    async with acting_as(system("test")):
        machine = await machine_of(token, wall=at)
    return machine.name if machine else None


def test_a_token_holds_256_random_bits_and_is_known_by_its_form() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(is_token(token) for token in tokens)
    assert not any(map(is_token, ["", "pt_", "pt_" + "a" * 42, "pt_" + "a" * 44, "xx_" + "a" * 43, "pt_" + "ก" * 43]))


async def test_a_token_is_stored_hashed_and_stands_for_its_provider(database: str) -> None:
    admin = await actor("admin")
    client, token = await made(admin)
    async with acting_as(system("test")):
        [stored] = await rows("SELECT row_to_json(c)::text AS row FROM client c")
        trail = [str(each.detail) for each in await AuditRecord.all()]
        machine = await machine_of(token, wall=NOW)
    assert token not in stored["row"]
    assert token[10:] not in "".join([stored["row"], *trail])
    assert machine is not None
    assert (machine.client_id, machine.scopes) == (client.id, {Scope.USAGE_WRITE})
    assert machine.actor.provider_id == admin.provider_id
    assert not machine.actor.is_system
    assert not any(machine.actor.may(each) for each in ("usage_enter", "users_grant", "own_account"))


async def test_the_last_use_is_kept_to_the_minute(database: str) -> None:
    client, token = await made(await actor("admin"))
    assert client.last_used_at is None
    for seconds, kept in ((0, 0), (59, 0), (60, 60)):
        assert await holder(token, NOW + dt.timedelta(seconds=seconds)) == "meters"
        async with acting_as(system("test")):
            assert (await Client.get(id=client.id)).last_used_at == NOW + dt.timedelta(seconds=kept)


async def test_a_revoked_token_is_dead_at_once_and_for_good(database: str) -> None:
    admin = await actor("admin")
    client, token = await made(admin)
    _, other = await made(admin, "other")
    async with acting_as(admin):
        await revoke(client.id, by=admin, now=NOW)
    assert (await holder(token), await holder(other)) == (None, "other")
    with pytest.raises(Conflict):
        async with acting_as(admin):
            await revoke(client.id, by=admin, now=NOW)
    async with acting_as(system("test")):
        actions = [each.action for each in await AuditRecord.filter(subject_id=str(client.id)).order_by("number")]
    assert actions == ["client.made", "client.revoked"]


@pytest.mark.parametrize(("name", "scopes", "field"), [(" ", [Scope.USAGE_WRITE], "name"), ("x", [], "scopes")])
async def test_a_machine_has_a_name_and_something_to_do(
    database: str, name: str, scopes: list[Scope], field: str
) -> None:
    admin = await actor("admin")
    with pytest.raises(Invalid) as refused:
        async with acting_as(admin):
            await create(name, scopes, by=admin, now=NOW)
    assert set(refused.value.fields) == {field}


async def test_only_administrators_of_agencies_and_providers_let_machines_in(database: str) -> None:
    for username in ("manager", "official-a", "central", "auditor"):
        who = await actor(username)
        with pytest.raises(NotPermitted):
            async with acting_as(who):
                await create("x", [Scope.USAGE_WRITE], by=who, now=NOW)


async def test_another_organisation_neither_sees_nor_revokes_a_token(database: str) -> None:
    admin = await actor("admin")
    client, token = await made(admin)
    assert admin.seat is not None
    stranger = dataclasses.replace(admin, seat=dataclasses.replace(admin.seat, id=new_id()))
    for who in (stranger, await actor("agency-admin-a"), await actor("agency-admin-b")):
        with pytest.raises(NotFound):
            async with acting_as(who):
                await revoke(client.id, by=who, now=NOW)
        async with acting_as(who):
            assert await Client.all() == []
    assert await holder(token) == "meters"


@pytest.mark.parametrize(
    ("username", "scope", "permission"),
    [
        ("agency-admin-a", Scope.REQUESTS_READ, None),
        ("agency-admin-a", Scope.REQUESTS_WRITE, "requests_make"),
        ("admin", Scope.USAGE_WRITE, None),
        ("admin", Scope.REQUESTS_READ, None),
        ("admin", Scope.PRICES_WRITE, "catalogue_edit"),
        ("admin", Scope.PRICES_BACKDATE, "prices_backdate"),
    ],
)
async def test_a_machine_may_what_its_scopes_imply_and_never_confirms(
    database: str, username: str, scope: Scope, permission: str | None
) -> None:
    admin = await actor(username)
    async with acting_as(admin):
        issued = await create("x", [scope], by=admin, now=NOW)
    async with acting_as(system("test")):
        machine = await machine_of(issued.token, wall=NOW)
    assert machine is not None
    by = machine.actor
    assert (by.seat, by.person_id, by.authenticated_at) == (admin.seat, issued.client.id, None)
    granting = ("requests_make", "catalogue_edit", "prices_backdate")
    assert permission is None or by.may(permission)
    assert permission is not None or not any(by.may(each) for each in granting)
    assert not any(by.may(each) for each in ("requests_confirm", "users_grant", "machines_admit"))


@pytest.mark.parametrize(
    ("username", "scope"), [("agency-admin-a", Scope.USAGE_WRITE), ("admin", Scope.REQUESTS_WRITE)]
)
async def test_a_machine_does_nothing_that_its_organisation_never_does(
    database: str, username: str, scope: Scope
) -> None:
    admin = await actor(username)
    with pytest.raises(Invalid):
        async with acting_as(admin):
            await create("x", [scope], by=admin, now=NOW)
