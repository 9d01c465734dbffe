"""The API as programs use it: registering nodes, conditional edits, refusals."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread

from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort
from tests.integration.waiting import until
from tests.integration.web.conftest import Site, token_of


class Api:
    """A program with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self._base = f"{site.base}/api/v1"
        self._token = token

    async def __call__(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers of an answer."""
        sent = {"Authorization": f"Bearer {self._token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = json.dumps(body).encode() if body is not None else None

        def ask() -> tuple[int, Any, dict[str, str]]:
            request = Request(self._base + path, data, sent, method=method)
            try:
                with urlopen(request, timeout=20) as answer:
                    text = answer.read()
                    return answer.status, json.loads(text) if text else None, dict(answer.headers)
            except HTTPError as error:
                text = error.read()
                return error.code, json.loads(text) if text else None, dict(error.headers)

        answer: tuple[int, Any, dict[str, str]] = await deferToThread(ask)
        return answer

    async def hosts(self, module: str = "1/1") -> set[str]:
        _status, body, _headers = await self("GET", f"/modules/{module}")
        return {host["host"] for host in body["hosts"]}


@pytest.fixture
def hasty_site(reactor: Any, start_service: StartService, tmp_path: Path) -> Iterator[Site]:
    """A site in which what left is forgotten soon."""
    conf = tmp_path / "web.conf"
    conf.write_text("[web]\npreserve_time = 5\n", encoding="utf-8")
    site = Site(reactor, start_service, tmp_path, f"--web-config={conf}")
    yield site
    site.close()


async def test_edits_are_conditional_and_refusals_say_why(site: Site) -> None:
    await site.up()
    api, viewer = Api(site, await token_of(site, "editor")), Api(site, await token_of(site, "viewer"))
    status, body, _ = await api("PUT", "/modules/1/1/hosts", {"hosts": ["10.0.0.1:80", "10.0.0.2:80"]})
    assert (status, body["changed"][0]["added"]) == (200, ["10.0.0.1:80", "10.0.0.2:80"])
    _, body, headers = await api("GET", "/modules/1/1")
    etag = headers["ETag"]
    assert (await api("GET", "/modules/1/1", If_None_Match=etag))[0] == 304
    assert (await api("POST", "/modules/1/1/hosts", {"add": ["10.0.0.3:80"]}, If_Match=etag))[0] == 200
    status, body, headers = await api("POST", "/modules/1/1/hosts", {"add": ["10.0.0.4:80"]}, If_Match=etag)
    assert (status, headers["Content-Type"]) == (412, "application/problem+json")
    assert headers["ETag"] != etag
    assert await api.hosts() == {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}
    assert (await viewer("DELETE", "/modules/1/1"))[0] == 403
    assert (await Api(site, "lars_nobody")("GET", "/modules"))[0] == 401
    status, body, _ = await api("PUT", "/modules/1/1/hosts", {"hosts": ["10.0.0.1"]})
    assert (status, "hosts[0]" in body["detail"]) == (400, True)
    status, _, headers = await api("PATCH", "/modules")
    assert (status, "GET" in headers["Allow"]) == (405, True)
    status, body, _ = await api("GET", "/audit?modid=1&cmdid=1")
    assert [edit["actor"] for edit in body["edits"]] == ["api:program-editor/test"] * 2


async def test_forms_that_none_of_the_console_can_be_are_refused_before_they_are_read(site: Site) -> None:
    await site.up()

    def post(path: str, body: bytes) -> int:
        try:
            with urlopen(Request(site.base + path, body), timeout=20) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    for path, body in (
        ("/sign-in", b"a=b&" * 1000),
        ("/sign-in", b"x" * 300_000),
    ):
        assert await deferToThread(post, path, body) == 413, path
    assert await deferToThread(post, "/transfer/preview", b"text=" + b"x" * 300_000) == 403


async def test_pages_of_modules_follow_each_other(site: Site) -> None:
    await site.up()
    api = Api(site, await token_of(site, "editor"))
    rows = [{"modid": m, "cmdid": c, "ip": "10.0.0.1", "port": 80} for m in range(1, 6) for c in range(5)]
    assert (await api("POST", "/routes", rows))[0] == 200
    for order in ("sort=module", "sort=hosts&order=desc"):
        seen, cursor = [], ""
        while True:
            _, body, _ = await api("GET", f"/modules?limit=7&{order}{cursor}")
            seen += [(m["modid"], m["cmdid"]) for m in body["modules"]]
            if body["next"] is None:
                break
            cursor = f"&cursor={body['next']}"
        assert seen == sorted({(r["modid"], r["cmdid"]) for r in rows})


async def test_registrations_share_a_version_and_silent_nodes_leave(reactor: Any, hasty_site: Site) -> None:
    site = hasty_site
    await site.up()
    api = Api(site, await token_of(site, "editor"))
    nodes = [f"10.0.0.{n}:80" for n in range(1, 5)]
    answers = await gatherResults(
        [Deferred.fromCoroutine(api("PUT", f"/modules/1/1/hosts/{node}?ttl=3")) for node in nodes]
    )
    assert {status for status, _, _ in answers} == {201}
    assert len({body["version"] for _, body, _ in answers}) <= 2, "gathered"
    _, before, _ = await api("GET", "/versions")
    alive = nodes[:3]
    until_then = time.monotonic() + 25
    while await api.hosts() != set(alive):
        assert time.monotonic() < until_then, await api.hosts()
        for node in alive:
            assert (await api("PUT", f"/modules/1/1/hosts/{node}?ttl=3"))[0] == 204
    _, after, _ = await api("GET", "/versions")
    assert len(after["changes"]) == len(before["changes"]) + 1, "renewing is no edit"
    assert (await api("GET", "/audit?limit=1"))[1]["edits"][0]["actor"] == "lease"
    await site.stack.says("no longer renew in", deadline=25)  # now all are silent
    kept = await api.hosts()
    assert len(kept) == 2, "of three, the last two are kept"
    _, body, _ = await api("GET", "/alarms")
    assert [(a["rule"], a["modid"]) for a in body["alarms"]] == [("self-preservation", 1)]
    for node in kept:
        await api("PUT", f"/modules/1/1/hosts/{node}?ttl=3600")
    deadline = time.monotonic() + 15
    while (await api("GET", "/alarms"))[1]["alarms"]:
        assert time.monotonic() < deadline, "the alarm does not clear"
    assert (await api("DELETE", f"/modules/1/1/hosts/{min(kept)}"))[0] == 204
    assert await api.hosts() == kept - {min(kept)}


async def test_restart_expires_nobody_early(reactor: Any, hasty_site: Site) -> None:
    site = hasty_site
    await site.up()
    api = Api(site, await token_of(site, "editor"))
    for port in range(1, 5):
        assert (await api("PUT", f"/modules/1/1/hosts/10.0.0.1:{port}?ttl=6"))[0] == 201
    site.stack.kill()
    died = time.monotonic()
    await until(reactor, lambda: time.monotonic() - died > 9, "the leases to end")
    site.stack.start()
    await site.stack.says("Lars is up", 2, deadline=30)
    up = time.monotonic()
    while time.monotonic() - up < 4:
        assert len(await api.hosts()) == 4
    await site.stack.says("no longer renew and leave module", deadline=30)
    assert time.monotonic() - up > 5


async def test_metrics_and_health_of_lars_web(start_service: StartService, sqlite_url: str, tmp_path: Path) -> None:
    Commands(sqlite_url, "", tmp_path).ok("db", "init")
    with ReservedPort() as web, ReservedPort() as metrics:
        service = start_service(
            "lars-web",
            "--db",
            sqlite_url,
            f"--listen=tcp:{web.number}:interface=127.0.0.1",
            f"--metrics=tcp:{metrics.number}:interface=127.0.0.1",
        )
        await service.says("nobody can sign in yet")

        def ask(port: int, path: str) -> tuple[int, str]:
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()

        assert (await deferToThread(ask, web.number, "/modules"))[0] == 403, "nothing works before the first admin"
        assert (await deferToThread(ask, web.number, "/api/v1/modules"))[0] == 401
        assert (await deferToThread(ask, metrics.number, "/readyz")) == (200, "ready\n")
        _status, metrics_text = await deferToThread(ask, metrics.number, "/metrics")
        assert 'lars_web_answers_total{code="4xx"} 2.0' in metrics_text
        assert "lars_web_streams 0.0" in metrics_text
        await service.stopped()


async def test_edits_at_one_moment_are_answered_with_the_etag_that_each_has_made(site: Site) -> None:
    await site.up()
    api = Api(site, await token_of(site, "editor"))
    for round_ in range(1, 6):
        edits = [
            Deferred.fromCoroutine(api("POST", "/modules/1/1/hosts", {"add": [f"10.0.{round_}.{n}:80"]}))
            for n in range(8)
        ]
        answers = await gatherResults(edits)
        assert len({headers["ETag"] for _status, _body, headers in answers}) == 8


async def test_overview_counts_what_was_just_added(site: Site) -> None:
    await site.up()
    api = Api(site, await token_of(site, "editor"))
    for n in (1, 2):
        assert (await api("POST", f"/modules/{n}/1/hosts", {"add": [f"10.0.0.{n}:80"]}))[0] == 200
        counted = (0, 0)
        deadline = time.monotonic() + 5
        while counted != (n, n):
            assert time.monotonic() < deadline, counted
            _status, body, _headers = await api("GET", "/overview")
            counted = (body["modules"], body["hosts"])
