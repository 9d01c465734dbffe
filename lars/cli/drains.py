"""What the commands that drain hosts share: options, the change, and the line that they print."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import click

from lars.cli.actor import actor
from lars.cli.api import Api, ApiRequest
from lars.cli.api_edits import done_of, joined, rows_by_api
from lars.cli.arguments import F, Place, parsed
from lars.cli.database import run_with_database
from lars.cli.exit_status import complain
from lars.cli.terminal.host_state import DRAINING, drain_state
from lars.db.database import Database
from lars.db.routes import EditDone, RouteStore
from lars.durations import duration
from lars.host_record import MAX_DRAIN, Drain, HostChange, HostRow, reason
from lars.route import ModuleId
from lars.wording import counted


class Target(Protocol):
    """The hosts that a command drains."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths of their drains in the API."""

    async def edit(self, store: RouteStore, actor: str, now: float, change: HostChange) -> EditDone:
        """Makes a change of these hosts; `now` is in Unix seconds."""


UNDRAIN = HostChange(undrain=True)


def drain_options(command: F) -> F:
    """--for, as `seconds`, and --reason, as `why`."""
    why = click.option("--reason", "why", metavar="TEXT", default="", type=parsed(reason), help="For those who look.")
    length = click.option(
        "--for",
        "seconds",
        metavar="TIME",
        type=parsed(lambda text: duration(text, MAX_DRAIN)),
        help="How long: 90s, 30m, 2h, 1d12h. Then lars-web ends the drain; without it, `undrain` does.",
    )
    return length(why(command))


def drain_hosts(url: Place, seconds: int | None, why: str, target: Target) -> None:
    """Drains the hosts of a target, for so many seconds or for good, and prints what came of it."""
    done, drain, weightless = _drained(url, seconds, why, target)
    more = drain_state(drain, datetime.now()).removeprefix(DRAINING)
    click.echo(described(DRAINING, done, more))
    for module in weightless:
        complain(f"no host of module {module} has weight now, so all of them take calls: undrain or add one")


def _drained(url: Place, seconds: int | None, why: str, target: Target) -> tuple[EditDone, Drain, list[ModuleId]]:
    """What the edit changed, the drain, and the modules in which no host has weight now."""
    if isinstance(url, Api):
        body = {"reason": why, **({"seconds": seconds} if seconds else {})}
        done = joined(done_of(url.ask(ApiRequest.of("PUT", path, body))) for path in target.paths)
        drain = Drain(int(time.time()) + seconds if seconds else 0, why)
        modules = [changed.module for changed in done.changed]
        return done, drain, [module for module in modules if _has_no_weight(rows_by_api(url, *module))]

    async def work(database: Database) -> tuple[EditDone, Drain, list[ModuleId]]:
        store = RouteStore(database)
        now = await database.read("read the clock", lambda txn: txn.now())
        drain = Drain(int(now) + seconds if seconds else 0, why)
        done = await target.edit(store, actor(), now, HostChange(drain=drain))
        modules = [changed.module for changed in done.changed]
        return done, drain, [module for module in modules if _has_no_weight(await store.routes(*module))]

    return run_with_database(url, work)


def undrain_hosts(url: Place, target: Target) -> None:
    """Ends the drains of the hosts of a target, and prints what came of it."""
    if isinstance(url, Api):
        done = joined(done_of(url.ask(ApiRequest("DELETE", path))) for path in target.paths)
        click.echo(described("restored", done))
        return

    async def work(database: Database) -> EditDone:
        now = await database.read("read the clock", lambda txn: txn.now())
        return await target.edit(RouteStore(database), actor(), now, UNDRAIN)

    click.echo(described("restored", run_with_database(url, work)))


def described(verb: str, done: EditDone, more: str = "") -> str:
    """The edit as one line: "draining 2 hosts of (1, 1) until 14:00; version 7"."""
    if not done.changed:
        return f"nothing to change; version {done.version}"
    hosts = counted(sum(len(changed.altered) for changed in done.changed), "host")
    where = f"of {done.changed[0].module}" if len(done.changed) == 1 else f"in {len(done.changed)} modules"
    return f"{verb} {hosts} {where}{more}; version {done.version}"


def _has_no_weight(rows: list[HostRow]) -> bool:
    return bool(rows) and not any(record.weight for *_place, record in rows)
