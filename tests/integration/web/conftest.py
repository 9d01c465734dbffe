"""A whole Lars in one process with its console, and browsers to look at it."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database, engine_for
from lars.db.routes import RouteEdit, RouteStore
from lars.db.url import parse_url
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.web.browser import Browser

PASSWORD = "correct horse battery"


class Site:
    """`twistd lars` on an SQLite file; `base` is the console's address."""

    def __init__(
        self,
        reactor: Any,
        start_service: StartService,
        folder: Path,
        *options: str,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.reactor = reactor
        self.ports = [ReservedPort(), ReservedPort(), ReservedPort()]
        dns, reporter, web = self.ports
        self.agent = f"127.0.0.1:{free_udp_base(3)}"
        conf = folder / "agent.conf"
        # classic ejects the only host of a module too
        conf.write_text("[agent]\nreport_interval = 0.5\n[balance]\npolicy = classic\n", encoding="utf-8")
        self.stack: TwistdService = start_service(
            "lars",
            f"--dns-listen={dns.endpoint}",
            f"--reporter-listen={reporter.endpoint}",
            f"--web-listen={web.endpoint}",
            f"--agent-listen={self.agent}",
            "--gateway-listen=",
            f"--agent-config={conf}",
            *options,
            environ=environ,
        )
        self.base = f"http://127.0.0.1:{web.number}"
        self.commands = Commands(f"sqlite:///{folder}/lars.db", self.agent, folder)

    async def up(self) -> None:
        await self.stack.says("Lars is up", deadline=30)

    def setup_link(self) -> str:
        """The one-time link that the start printed."""
        [link] = re.findall(r"http://\S+/setup/\S+", self.stack.log())
        return str(link)

    def add_user(self, name: str, role: str) -> None:
        done = self.commands.run("user", "add", name, "--role", role, stdin=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr

    async def edit(self, *edits: RouteEdit) -> None:
        """Edits routes past the console, as another operator would."""
        database = Database(engine_for(parse_url(self.commands.database_url)), self.reactor)
        try:
            await RouteStore(database).edit("test", 0, edits)
        finally:
            database.close()

    def sign_in(self, browser: Browser, name: str) -> None:
        browser.go(f"{self.base}/sign-in")
        browser.fill(name=name, password=PASSWORD)
        browser.press("Sign in")

    def close(self) -> None:
        for port in self.ports:
            port.close()


@pytest.fixture
def site(reactor: Any, start_service: StartService, tmp_path: Path) -> Iterator[Site]:
    site = Site(reactor, start_service, tmp_path)
    yield site
    site.close()


@pytest.fixture
def open_browser() -> Iterator[Callable[..., Browser]]:
    """Opens browsers, each with cookies of its own, and closes them after the test."""
    opened: list[Browser] = []

    def open_one(**how: Any) -> Browser:
        opened.append(Browser(**how))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()


async def token_of(site: Site, role: str) -> str:
    """A token of that role for the API of a site."""
    database = Database(engine_for(parse_url(site.commands.database_url)), site.reactor)
    secret = TOKEN_PREFIX + new_secret()
    accounts, user = AccountStore(database), f"program-{role}"
    try:
        await accounts.add("test", user, "no hash", role, 0)
        await accounts.add_token("test", NewToken(digest_of(secret), "test", user, role), 0)
    finally:
        database.close()
    return secret
