"""HTTP/JSON with real clients: curl, keep-alive connections, and clients that behave badly."""

import json
import re
import socket
import time
from collections import Counter
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import jsonschema_rs

from lars.client import LarsClient
from lars.gateway.http.site import MAX_BODY
from tests.integration.gateway.running_gateway import A, AgentAndGateway, B, C, StartService
from tests.integration.waiting import until

HOST, HOSTS, REPORTS = (f"/v1/modules/1/1/{name}" for name in ("host", "hosts", "reports"))
DISCOVERY = "/v3/discovery:endpoints"


async def test_curl_gets_hosts_and_reports_calls_over_tcp_and_a_unix_socket(gateway: AgentAndGateway) -> None:
    for options in ([], ["--unix-socket", gateway.socket]):
        given: Counter[str] = Counter()
        for _ in range(6):
            status, content_type, body = gateway.curl(HOST, *options)
            assert (status, content_type) == (200, "application/json")
            assert body["host"] == f"{body['ip']}:{body['port']}"
            given[body["host"]] += 1
            report = {"host": body["host"], "retcode": 0, "cost": 0.01}
            assert gateway.post(REPORTS, report, *options)[::2] == (200, {"reported": 1, "not_in_route": []})
        assert set(given) <= {A, B, C}
        assert len(given) > 1
    assert gateway.number("lars_gateway_http_reports_total") == 12


async def test_a_host_that_fails_is_ejected_and_given_no_more(gateway: AgentAndGateway) -> None:
    assert gateway.curl(HOST)[0] == 200
    assert gateway.post(REPORTS, [{"host": A, "retcode": 1}] * 2)[2]["reported"] == 2
    with LarsClient(gateway.agent_address, cache=False, state_dir="") as another:  # no process ejects a host alone
        another.report(next(host for host in another.get_route(1, 1) if str(host) == A), retcode=1)

    def states() -> dict[str, str]:
        return {host["host"]: host["state"] for host in gateway.curl(HOSTS)[2]["hosts"]}

    await until(gateway.reactor, lambda: states()[A] == "ejected", "the host to be ejected", 5)
    assert states() == {A: "ejected", B: "healthy", C: "healthy"}
    assert {gateway.curl(HOST)[2]["host"] for _ in range(10)} == {B, C}
    [cluster] = gateway.post(DISCOVERY, {"resource_names": ["1.1"]})[2]["resources"]
    assert [e["health_status"] for e in cluster["endpoints"][0]["lb_endpoints"]] == ["UNHEALTHY", "HEALTHY", "HEALTHY"]
    groups = gateway.curl("/v1/prometheus/targets?module=1.1")[2]
    assert {group["labels"]["__meta_lars_state"]: group["targets"] for group in groups} == {
        "ejected": [A],
        "healthy": [B, C],
    }
    assert [record[-2:] for record in gateway.answers("1.1.lars", "SRV")] == [
        ["80", "10-0-0-2.1.1.lars."],
        ["81", "10-0-0-3.1.1.lars."],
    ]


async def test_many_requests_share_a_connection(gateway: AgentAndGateway) -> None:
    with closing(HTTPConnection("127.0.0.1", gateway.port, timeout=10)) as connection:
        for _ in range(100):
            connection.request("GET", HOST)
            body = json.loads(connection.getresponse().read())
            report = json.dumps({"host": body["host"]})
            connection.request("POST", REPORTS, report, {"Content-Type": "application/json"})
            assert connection.getresponse().read() == b'{"reported":1,"not_in_route":[]}'
        connection.request("HEAD", HOST)
        head = connection.getresponse()
        assert (head.status, head.read()) == (200, b"")
        assert int(head.headers["Content-Length"]) > 40
        assert gateway.number("lars_gateway_http_connections") == 1


async def test_pipelined_requests_are_answered_in_their_order(gateway: AgentAndGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as client:
        for path, last in ((HOST, ""), (HOSTS, ""), ("/nowhere", "Connection: close\r\n")):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{last}\r\n".encode())
        answer = client.makefile("rb").read()
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"404"]


async def test_what_cannot_be_answered_is_a_problem(gateway: AgentAndGateway) -> None:
    for path, status, kind, detail in (
        ("/", 404, "about:blank", "nothing is at /"),
        ("/v1/modules/1/1", 404, "about:blank", "nothing is at"),
        ("/v1/modules/1/1/host/", 404, "about:blank", "nothing is at"),
        ("/v1/modules/0/0/host", 404, "about:blank", "module (0, 0) does not exist"),
        ("/v1/modules/9999999999/0/host", 404, "about:blank", "out of range"),
        ("/v1/modules/-1/1/host", 404, "about:blank", "is not an id"),
        ("/v1/modules/%31/1/host", 404, "about:blank", "is not an id"),
        ("/v1/modules/7/7/host", 404, "urn:lars:problem:no-such-module", "module (7, 7) has no hosts"),
        (HOST + "?key=1&key=2", 400, "about:blank", "it may have one key"),
        (HOST + "?keys=1", 400, "about:blank", "it may have one key"),
        ("/v1/prometheus/targets", 400, "about:blank", "no module is named"),
        ("/v1/prometheus/targets?module=payments", 400, "about:blank", "'payments' is not a module"),
    ):
        answered, content_type, body = gateway.curl(path)
        assert (answered, content_type, body["type"], body["status"]) == (
            status,
            "application/problem+json",
            kind,
            status,
        )
        assert detail in body["detail"], path
    assert gateway.curl("/v1/modules/7/7/hosts")[2] == {"modid": 7, "cmdid": 7, "hosts": []}


async def test_bodies_and_methods_that_are_not_taken(gateway: AgentAndGateway, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b" " * (MAX_BODY + 1))
    json_type = ("--header", "Content-Type: application/json")
    for options, status, detail in (
        (["--data", "{}"], 415, "send JSON"),
        ([*json_type, "--data", "{"], 400, "the body is not JSON"),
        ([*json_type, "--data", '[{"host": "x"}]'], 400, "report 0: 'x' is not a host"),
        ([*json_type, "--data", f"@{large}"], 413, "the body is larger than"),
        ([*json_type, "--header", "Transfer-Encoding: chunked", "--data", f"@{large}"], 413, "the body is larger than"),
        (["--request", "PUT"], 405, "use POST"),
        ([], 405, "use POST"),
    ):
        answered, _, body = gateway.curl(REPORTS, *options)
        assert (answered, body["status"]) == (status, status), options
        assert detail in body["detail"]
    with closing(HTTPConnection("127.0.0.1", gateway.port, timeout=10)) as connection:
        connection.request("DELETE", HOST)
        assert connection.getresponse().headers["Allow"] == "GET, HEAD"


async def test_a_report_of_a_host_in_no_route_is_named_and_counted(gateway: AgentAndGateway) -> None:
    reports = [{"host": "10.9.9.9:1", "retcode": 1}, {"host": A}]
    assert gateway.post(REPORTS, reports)[::2] == (200, {"reported": 2, "not_in_route": ["10.9.9.9:1"]})
    assert gateway.number("lars_gateway_http_unrouted_total") == 1


async def test_dead_and_hanging_agents_are_503_at_once_until_they_answer(gateway: AgentAndGateway) -> None:
    assert gateway.curl(HOST)[0] == 200

    async def refused() -> None:
        await until(gateway.reactor, lambda: gateway.curl(HOST)[0] == 503, "503", 3)
        for path in (HOST, HOSTS, "/v1/prometheus/targets?module=1.1"):
            begin = time.monotonic()
            status, _, body = gateway.curl(path)
            assert (status, body["type"]) == (503, "urn:lars:problem:agent-unavailable")
            assert time.monotonic() - begin < 1
        assert gateway.post(REPORTS, {"host": A})[0] == 503
        assert gateway.post(DISCOVERY, {"resource_names": ["1.1"]})[0] == 503

    async def served() -> None:
        await until(gateway.reactor, lambda: gateway.curl(HOST)[0] == 200, "a host", 5)

    gateway.agent.pause()
    await refused()
    gateway.agent.resume()
    await served()
    gateway.agent.kill()
    await refused()
    gateway.agent.start()
    await served()
    assert gateway.service.log().count("answers again") >= 1


async def test_connections_beyond_the_limit_are_closed(
    start_service: StartService, tmp_path: Path, reactor: Any
) -> None:
    gateway = AgentAndGateway(reactor, start_service, tmp_path, "--max-connections=3")
    with ExitStack() as stack:
        stack.callback(gateway.close)
        await gateway.up()
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 5))
        await until(reactor, lambda: gateway.number("lars_gateway_http_connections") == 3, "three connections")
        with socket.create_connection(("127.0.0.1", gateway.port), 5) as fourth:
            assert fourth.recv(1) == b""
        assert gateway.number("lars_gateway_http_refused_connections_total") == 1


async def test_envoy_s_requests_are_answered_with_what_changed(gateway: AgentAndGateway) -> None:
    asked = {"node": {"id": "a"}, "resource_names": ["1.1", "lars/2/2", "7.7"]}
    status, content_type, response = gateway.post(DISCOVERY, asked)
    assert (status, content_type) == (200, "application/json")
    sizes = {c["cluster_name"]: sum(len(p["lb_endpoints"]) for p in c["endpoints"]) for c in response["resources"]}
    assert sizes == {"1.1": 3, "lars/2/2": 300, "7.7": 0}
    again = {**asked, "version_info": response["version_info"], "response_nonce": response["nonce"]}
    assert gateway.post(DISCOVERY, again)[0] == 304
    assert gateway.post(DISCOVERY, {**again, "resource_names": ["1.1"]})[0] == 200


async def test_the_openapi_document_describes_the_answers(gateway: AgentAndGateway) -> None:
    document = gateway.curl("/v1/openapi.json")[2]

    def check(value: object, path: str, method: str = "get", status: str = "200") -> None:
        answer = document["paths"][path][method]["responses"][status]
        if "$ref" in answer:
            answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        [content] = answer["content"].values()
        resolved = {**content["schema"], "components": document["components"]}
        jsonschema_rs.validate(resolved, value)

    module = "/v1/modules/{modid}/{cmdid}"
    check(gateway.curl(HOST)[2], f"{module}/host")
    check(gateway.curl(HOSTS)[2], f"{module}/hosts")
    check(gateway.post(REPORTS, {"host": A})[2], f"{module}/reports", "post")
    check(gateway.post(REPORTS, 7)[2], f"{module}/reports", "post", "400")
    check(gateway.curl("/v1/prometheus/targets?module=1.1")[2], "/v1/prometheus/targets")
    check(gateway.post(DISCOVERY, {})[2], DISCOVERY, "post")
    report = {**document["components"]["schemas"]["Report"], "components": document["components"]}
    assert not jsonschema_rs.is_valid(report, {"host": A, "code": 1})


async def test_it_is_ready_while_the_agent_answers(gateway: AgentAndGateway) -> None:
    def ready() -> tuple[int, Any]:
        with closing(HTTPConnection("127.0.0.1", gateway.metrics_port, timeout=10)) as connection:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status, response.read()

    assert ready()[0] == 200
    gateway.agent.kill()
    await until(gateway.reactor, lambda: gateway.curl(HOSTS)[0] == 503, "503", 3)
    status, why = ready()
    assert status == 503
    assert b"did not answer last time" in why


async def test_a_socket_that_was_left_behind_is_replaced(gateway: AgentAndGateway) -> None:
    gateway.service.kill()
    assert Path(gateway.socket).exists()
    gateway.service.start()
    await gateway.service.says("lars-gateway answers DNS on", times=2)
    assert gateway.curl(HOST, "--unix-socket", gateway.socket)[0] == 200
    await gateway.service.stopped()
    assert not Path(gateway.socket).exists()
