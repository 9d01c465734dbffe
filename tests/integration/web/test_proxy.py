"""The console behind a reverse proxy, at a path of its own."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import pytest
from selenium.webdriver.common.by import By
from twisted.internet.threads import deferToThread

from lars.web.auth.secrets import form_key, new_secret
from tests.integration.conftest import StartService
from tests.integration.processes import Child, ReservedPort
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import PASSWORD, Site

OpenBrowser = Callable[..., Browser]

SCRIPT = Path(__file__).with_name("reverse_proxy.py")


class ProxiedSite(Site):
    """A site whose `base` is behind a proxy at /lars, which passes that path on or not, before so many lars-web."""

    def __init__(
        self, reactor: Any, start_service: StartService, folder: Path, passed_on: bool, consoles: int = 1
    ) -> None:
        with ReservedPort() as proxy:
            base, conf = f"http://127.0.0.1:{proxy.number}/lars", folder / "web.conf"
            url = f"url = {base}\n" if passed_on else ""
            conf.write_text(f"[web]\ntrust_proxy = 127.0.0.1\n{url}", encoding="utf-8")
            super().__init__(reactor, start_service, folder, f"--web-config={conf}")
            self.direct, self.base = self.base, base
            self.others = []
            for _ in range(consoles - 1):
                self.ports.append(ReservedPort())
                listen = f"--listen={self.ports[-1].endpoint}"
                url = self.commands.database_url
                self.others.append(start_service("lars-web", "--db", url, listen, "--trust-proxy=127.0.0.1"))
            ports = (str(proxy.number), ",".join(str(port.number) for port in self.ports[2:]))
            option = ["--pass-on"] if passed_on else []
            command = [sys.executable, str(SCRIPT), *ports, "lars", *option]
            self.proxy = Child(reactor, "proxy", command, folder)
            self.proxy.start()

    async def up(self) -> None:
        await super().up()
        for other in self.others:
            await other.says("lars-web answers on")
        await self.proxy.says("proxied")

    def close(self) -> None:
        self.proxy.close()
        super().close()


@pytest.fixture(params=[True, False], ids=["path passed on", "path taken off"])
def proxied_site(
    request: pytest.FixtureRequest, reactor: Any, start_service: StartService, tmp_path: Path
) -> Iterator[ProxiedSite]:
    site = ProxiedSite(reactor, start_service, tmp_path, request.param)
    yield site
    site.close()


def follow_all(browser: Browser, base: str) -> set[str]:
    """Opens every link of the console from its overview on; the addresses, which all are below `base`."""
    waiting, seen = [f"{base}/"], set[str]()
    while waiting:
        browser.go(waiting.pop())
        assert "Not found" not in browser.text, browser.driver.current_url
        links = browser.driver.execute_script("return [...document.querySelectorAll('a[href]')].map(a => a.href)")
        forms = browser.driver.execute_script("return [...document.forms].map(form => form.action)")
        for link in (*links, *forms):
            assert link.startswith(f"{base}/"), link
        fresh = {link.partition("#")[0] for link in links} - seen
        seen |= fresh
        waiting += [link for link in fresh if "?" not in link and "/export" not in link and "/api/" not in link]
    return seen


async def test_whole_console_works_at_a_path(proxied_site: ProxiedSite, open_browser: OpenBrowser) -> None:
    site = proxied_site
    await site.up()
    site.add_user("lea", "admin")
    site.commands.ok("route", "add", "1", "1", "127.0.0.1:9001")
    browser = open_browser()
    browser.go(f"{site.base}/modules/1/1")
    browser.fill(name="lea", password=PASSWORD)
    browser.press("Sign in")
    browser.reads("127.0.0.1:9001")
    assert browser.driver.current_url == f"{site.base}/modules/1/1", "as was asked for before"
    paths = {cookie["name"]: cookie["path"] for cookie in browser.driver.get_cookies()}
    assert paths == {"lars_session": "/lars", "lars_zone": "/lars"}
    site.commands.ok("route", "add", "1", "1", "127.0.0.1:9002")
    browser.reads("127.0.0.1:9002")
    browser.driver.refresh()
    browser.driver.find_element(By.ID, "add").send_keys("127.0.0.1:9003")
    browser.press("Add")
    browser.reads("Hosts added: 1.")
    assert len(follow_all(browser, site.base)) > 15
    assert browser.errors() == []
    browser.go(f"{site.base}")
    browser.reads("Latest edits")
    browser.one("header form button").click()
    browser.reads("You are signed out.")
    assert browser.driver.current_url.startswith(f"{site.base}/sign-in")

    def servers() -> list[dict[str, str]]:
        with urlopen(f"{site.base}/api/v1/openapi.json", timeout=10) as answer:
            described = json.load(answer)
        return list(described["servers"])

    assert await deferToThread(servers) == [{"url": "/lars/api/v1"}]


async def test_failures_count_for_the_client_that_a_trusted_proxy_names(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    site = ProxiedSite(reactor, start_service, tmp_path, passed_on=True)
    try:
        await site.up()
        site.add_user("lea", "viewer")

        def sign_in(base: str, client: str, password: str) -> int:
            secret = new_secret()
            form = urlencode({"name": "lea", "password": password, "form_key": form_key(secret)})
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"lars_session={secret}"}
            parts = urlsplit(base)
            with closing(HTTPConnection(parts.netloc, timeout=30)) as connection:
                connection.request("POST", f"{parts.path}/sign-in", form, {**headers, "X-Forwarded-For": client})
                return connection.getresponse().status

        async def statuses(base: str, client: str, password: str, times: int) -> Counter[int]:
            return Counter([await deferToThread(sign_in, base, client, password) for _ in range(times)])

        stranger, neighbor = "203.0.113.1", "203.0.113.2"
        assert await statuses(site.direct, stranger, "wrong", 7) == {403: 5, 429: 2}
        assert await statuses(site.direct, neighbor, PASSWORD, 1) == {303: 1}
        assert f"sign-in of 'lea' from {stranger} failed" in site.stack.log()
        assert await statuses(site.direct, f"{stranger}, {neighbor}", PASSWORD, 1) == {303: 1}, "made up by the client"
    finally:
        site.close()


async def test_import_is_confirmed_at_another_lars_web(
    reactor: Any, start_service: StartService, tmp_path: Path, open_browser: OpenBrowser
) -> None:
    site = ProxiedSite(reactor, start_service, tmp_path, passed_on=False, consoles=2)
    try:
        await site.up()
        site.add_user("lea", "editor")
        browser = open_browser()
        site.sign_in(browser, "lea")
        for host in ("127.0.0.1:9001", "127.0.0.1:9002"):
            browser.go(f"{site.base}/transfer")
            ip, port = host.split(":")
            browser.fill(text=f"modid,cmdid,ip,port\n1,1,{ip},{port}\n")
            browser.press("Show what would change")
            browser.reads("Nothing is changed yet.")
            browser.press("Make these changes")
            browser.reads("Modules changed by the import: 1.")
        assert len(site.commands.json("route", "list")) == 2
    finally:
        site.close()
