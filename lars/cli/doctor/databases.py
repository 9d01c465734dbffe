"""Looks at the databases of services: reached, complete, and with a clock that agrees."""

import time
from collections.abc import Mapping

from lars.cli.doctor.findings import Finding, clock_finding, ok, wrong
from lars.db.database import Database
from lars.db.engine import DatabaseAway, DatabaseError, Transaction
from lars.db.schema import check_txn
from lars.db.url import DatabaseUrl, SqliteUrl

WHOLE = frozenset({"lars-reporter", "lars-web", "--db"})
"""Whose users see all tables (docs/operations.md, the database)."""


def users_by_url(urls: Mapping[str, DatabaseUrl]) -> dict[DatabaseUrl, list[str]]:
    """The services of each database."""
    users: dict[DatabaseUrl, list[str]] = {}
    for name, url in urls.items():
        users.setdefault(url, []).append(name)
    return users


def missing_file(url: DatabaseUrl) -> Finding | None:
    """What is wrong with an SQLite file that is not there, which opening it would create."""
    if isinstance(url, SqliteUrl) and not url.path.exists():
        return wrong("database", str(url), "no such file", f"run `lars db init --db {url}`, or correct the URL")
    return None


async def database_findings(url: DatabaseUrl, users: list[str], database: Database) -> list[Finding]:
    """What is found in a database that these services use."""
    try:
        findings = await database.read("check the database", lambda txn: _problems(txn, str(url), users))
        then = await database.read("read the clock", lambda txn: txn.now())
    except DatabaseAway as error:
        return [wrong("database", str(url), str(error), "start the server, open the way to it, or correct the URL")]
    except DatabaseError as error:
        advice = "create the database by `lars db init`, or give the user its rights"
        return [wrong("database", str(url), str(error), advice)]
    return [*findings, clock_finding(str(url), time.time() - then)]


def _problems(txn: Transaction, url: str, users: list[str]) -> list[Finding]:
    used = f"used by {', '.join(users)}"
    if not WHOLE.intersection(users):
        txn.one("SELECT version FROM RouteVersion WHERE id = 1")
        return [ok("database", url, f"answers; {used}")]
    problems = check_txn(txn).problems
    wrongs = [wrong("database", url, problem, "run `lars db init`, and `lars db check`") for problem in problems]
    return wrongs or [ok("database", url, f"is complete; {used}")]
