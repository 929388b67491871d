"""The command line: `python -m portal <verb>`."""

import argparse
import asyncio
import datetime as dt
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from billing.months import BANGKOK
from portal.embedded_postgres import DatabaseRefused, folders_beside
from portal.settings import Mode, Settings, SettingsRefused
from portal.supervisor import RunRefused, database, prepare, run, url_of

# Verbs import what they need when they are called: the product is large, and most verbs use little of it.
# ruff: noqa: PLC0415

REFUSED = 78  # EX_CONFIG of sysexits.h: starting again without changing something will not help


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one verb; returns the exit status: 0 done, 1 found something wrong, 78 refused with a remedy."""
    asked = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = asked.verb
    try:
        return verb(asked)
    except (SettingsRefused, DatabaseRefused, RunRefused) as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m portal",
        description="The government digital infrastructure portal. Settings come from the environment; "
        "docs/operations.md explains them.",
    )
    verbs = parser.add_subparsers(required=True, metavar="verb")

    def verb(name: str, does: Callable[[argparse.Namespace], int], says: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=says, description=says)
        added.set_defaults(verb=does)
        return added

    everything = verb("run", _run, "everything on this machine: database, identity provider, web, worker")
    web = verb("web", _web, "the web server alone")
    web.add_argument("--when-told", action="store_true", help="get ready, then begin at a line on standard input")
    for each in (everything, web):
        each.add_argument("--port", type=int, help="port to listen on (PORTAL_PORT, PORT; 8000)")
    verb("worker", _worker, "the worker alone: what falls due, mail, reports")
    verb("migrate", _migrate, "bring the database's schema and reference data up to date, as its owner")
    checking = verb("migrations", _migrations, "write the migrations that the models ask for")
    checking.add_argument("--check", action="store_true", help="write nothing; status 1 when one is missing")
    verb("verify", _verify, "check the audit trail and recompute every invoice; names what is wrong")

    founding = verb("found", _found, "add an organisation and its first administrator, who decides on everybody else")
    founding.add_argument("kind", choices=["agency", "provider", "central", "auditor"])
    founding.add_argument("code", help="such as ministry-of-labour; it appears in addresses")
    founding.add_argument("short_code", help="up to 8 letters and digits; its documents' numbers begin with it")
    for name in ("--name-th", "--name-en"):
        founding.add_argument(name, required=True)
    founding.add_argument("--subject", required=True, help="the administrator's `sub` at the identity provider")
    founding.add_argument("--name", required=True, help="the administrator's name")

    clock = verb("clock", _clock_show, "the demo clock: show, set, advance, run").add_subparsers(metavar="what")
    clock.add_parser("show", help="say what time it is in the demo").set_defaults(verb=_clock_show)
    setting = clock.add_parser("set", help="set it; what falls due until then happens")
    setting.add_argument("at", type=_moment, help="such as 2026-12-16T09:00, Bangkok time unless it names its offset")
    setting.add_argument("--hold", action="store_true", help="and let it stand still there")
    setting.set_defaults(verb=_clock_set)
    advancing = clock.add_parser("advance", help="move it forward; what falls due until then happens")
    advancing.add_argument("span", help="such as 2d4h or 90m")
    advancing.set_defaults(verb=_clock_advance)
    clock.add_parser("run", help="let a clock that stands still run on").set_defaults(verb=_clock_run)

    demo = verbs.add_parser("demo", help="demo data").add_subparsers(required=True, metavar="what")
    demo.add_parser("load", help="load the demo data where it is missing").set_defaults(verb=_demo_load)
    return parser


def _settings(asked: argparse.Namespace, **given: Any) -> Settings:
    """Read the settings; --port comes before PORTAL_PORT, and that before PORT."""
    if getattr(asked, "port", None) is not None:
        given["port"] = asked.port
    elif not os.environ.get("PORTAL_PORT") and os.environ.get("PORT"):
        given["port"] = os.environ["PORT"]
    return Settings.load(**given)


def _on_this_machine(asked: argparse.Namespace) -> Settings:
    """Read the settings of a command that a demonstration needs no environment for."""
    return _settings(asked, **({} if os.environ.get("PORTAL_MODE") else {"mode": Mode.DEMO}))


def _run(asked: argparse.Namespace) -> int:
    return run(_on_this_machine(asked))


def _web(asked: argparse.Namespace) -> int:
    from portal import web

    if asked.when_told:
        import portal.app  # noqa: F401 - processes that serve are copies of this one, and need not import it again

        if not sys.stdin.readline():
            return 0
    with database(_settings(asked)) as (settings, _):
        # Worker processes read the environment anew; there they find what was asked for here.
        os.environ |= {"PORTAL_PORT": str(settings.port), "PORTAL_DATABASE_URL": url_of(settings)}
        return web.serve(settings)


def _worker(asked: argparse.Namespace) -> int:
    from portal.jobs import run_worker

    with database(_settings(asked)) as (settings, _):
        working: object = run_worker(settings)
        if inspect.iscoroutine(working):
            asyncio.run(working)
    return 0


def _migrate(asked: argparse.Namespace) -> int:
    with database(_on_this_machine(asked)) as (settings, _):
        asyncio.run(prepare(settings, demo=False))
    print("The schema is up to date, and the reference data is there.")
    return 0


def _migrations(asked: argparse.Namespace) -> int:
    from portal.database import missing_migrations

    missing = asyncio.run(missing_migrations())
    for each in missing:
        print(f"{each.app_label}: {each.name} is missing" if asked.check else f"wrote {each.write()}")
    if not missing:
        print("Models and migrations agree.")
    elif asked.check:
        print("Write them with: make migrations. Constraints of a new table must be added by hand.")
    return 1 if missing and asked.check else 0


def _verify(asked: argparse.Namespace) -> int:
    settings = _on_this_machine(asked)
    return _connected(settings, lambda: _verified(settings.data_dir))


async def _verified(folder: Path) -> int:
    from auth.audit.queries import verify
    from auth.rules import system
    from auth.tenancy import acting_as
    from portal import anchors
    from services.capacity.queries import miscounted_pools

    async with acting_as(system("verify")):
        chains = [chain async for chain in verify()]
        broken = [chain for chain in chains if chain.broken]
        for chain in broken:
            if chain.broken:
                print(f"chain {chain.chain_id}: record {chain.broken.number}: {chain.broken.why}")
        moved = await anchors.first_moved(folder)
        if moved:
            print(f"chain {moved.chain_id}: record {moved.number} is not what was kept outside the database")
        else:
            anchors.keep(folder, chains)
        miscounted = await miscounted_pools()
    records = sum(chain.length for chain in chains)
    print(f"{records} records in {len(chains)} chains; {len(broken) or 'none'} broken.")
    for code, counted, held in miscounted:
        print(f"pool {code}: {counted} is counted as held, its holds add up to {held}")
    differing = await _recomputed()
    return 1 if broken or moved or miscounted or differing else 0


async def _recomputed() -> int:
    """Recompute every issued invoice, say what differs, and return how much does."""
    from auth.rules import system
    from auth.tenancy import acting_as
    from billing.statements.verify import missing_numbers, verify

    async with acting_as(system("verify")):
        reports = [report async for report in verify()]
        differing = [each for report in reports for each in report.differences] + await missing_numbers()
    for each in differing:
        print(f"{each.number}: {each.what}")
    count = f"{len(differing) or 'no'} difference{'' if len(differing) == 1 else 's'}"
    print(f"{sum(report.statements for report in reports)} invoices recomputed; {count}.")
    if from_sums := sum(report.from_sums for report in reports):
        print(
            f"{from_sums} of them against the sums by day: single usage events of their months are not kept any more."
        )
    return len(differing)


def _found(asked: argparse.Namespace) -> int:
    from auth.errors import Refusal
    from auth.organisations.founding import found
    from auth.rules import OrganisationKind, system
    from auth.tenancy import acting_as

    settings = _on_this_machine(asked)

    async def founded() -> int:
        try:
            async with acting_as(system("command line")):
                organisation = await found(
                    OrganisationKind(asked.kind),
                    asked.code,
                    asked.short_code,
                    (asked.name_th, asked.name_en),
                    (settings.oidc_issuer or "", asked.subject, asked.name),
                    now=dt.datetime.now(dt.UTC),
                )
        except Refusal as refusal:
            print(refusal, file=sys.stderr)
            return 1
        print(f"{organisation.code} is there; {asked.subject} administers it.")
        return 0

    return _connected(settings, founded)


def _clock_show(asked: argparse.Namespace) -> int:
    from portal import clock

    return _moving(asked, clock.show)


def _clock_set(asked: argparse.Namespace) -> int:
    from auth.rules import system
    from portal import clock

    return _moving(asked, lambda wall: clock.set_to(asked.at, held=asked.hold, by=system("command line"), wall=wall))


def _clock_advance(asked: argparse.Namespace) -> int:
    from auth.rules import system
    from portal import clock

    return _moving(asked, lambda wall: clock.advance(clock.span(asked.span), by=system("command line"), wall=wall))


def _clock_run(asked: argparse.Namespace) -> int:
    from auth.rules import system
    from portal import clock

    return _moving(asked, lambda wall: clock.release(by=system("command line"), wall=wall))


def _moving(asked: argparse.Namespace, move: Callable[[dt.datetime], Awaitable[Any]]) -> int:
    from auth.errors import Invalid

    settings = _on_this_machine(asked)
    if not settings.demo_clock:
        raise RunRefused("Only a demonstration has a clock that can be set (PORTAL_MODE=demo).")

    async def moved() -> int:
        try:
            reading = await move(dt.datetime.now(dt.UTC))
        except Invalid as refusal:
            print(" ".join(refusal.fields.values()), file=sys.stderr)
            return 1
        state = "standing still" if reading.held else "running"
        print(f"{reading.at.astimezone(BANGKOK):%Y-%m-%d %H:%M:%S} in Bangkok, {state}")
        return 0

    return _connected(settings, moved)


def _demo_load(asked: argparse.Namespace) -> int:
    with database(_on_this_machine(asked)) as (settings, _):
        asyncio.run(prepare(settings, demo=True))
    return 0


def _connected(settings: Settings, work: Callable[[], Awaitable[int]]) -> int:
    """Do `work` on the portal's database, as the application's role; refuses (RunRefused) where there is none."""
    from portal.database import connect, disconnect, is_migrated

    if not settings.database_url and settings.data_dir.absolute().name not in folders_beside(settings.data_dir):
        raise _no_portal(settings)

    async def connected(url: str) -> int:
        await connect(url)
        try:
            if not await is_migrated():
                raise _no_portal(settings)
            return await work()
        finally:
            await disconnect()

    with database(settings) as (ready, _):
        return asyncio.run(connected(url_of(ready)))


def _no_portal(settings: Settings) -> RunRefused:
    if settings.database_url:
        return RunRefused("The database has no portal in it yet; make it one with: python -m portal migrate")
    ports = [name for name in folders_beside(settings.data_dir) if name.isdigit() and name != settings.data_dir.name]
    return RunRefused(
        f"There is no portal in {settings.data_dir}; name the port of the one you mean before the command, as in"
        f" PORTAL_PORT={ports[0] if ports else 8001}, or its folder with PORTAL_DATA_DIR."
    )


def _moment(text: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=BANGKOK)
