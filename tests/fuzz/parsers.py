"""One function a parser: it gives the parser some bytes, which may be refused by a LarsError and by nothing else.

Where a parser has an inverse, or two ways to one result, the function checks that both agree.
"""

import json
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from random import Random

from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory
from lars.balancing.policies import new_policy
from lars.db.url import parse_url
from lars.dns.table_file import decode_table, encode_table
from lars.durations import duration
from lars.errors import LarsError
from lars.gateway.dns.codec import Malformed, Reply, encode_reply, read_query
from lars.gateway.http.bodies import named_module, read_discovery, read_reports
from lars.host_record import host_change, parse_change
from lars.module_settings import as_json, checked, edited, from_json
from lars.networks import networks
from lars.reporter.alarms.rules import parse_rule
from lars.route import HostAddress, ModuleId, Steering, parse_host
from lars.route_formats import read_routes
from lars.saved_routes import decode_routes, encode_routes, index_routes
from lars.settings import endpoint, read_conf, site_url
from lars.web.api.input import change_of, drain_of, etags, hosts_of, json_object
from lars.web.api.problems import Problem
from lars.web.form_data import form_fields, text_of
from lars.web.front import Front
from lars.wire.frames import FrameDecoder, FrameError, decode_datagram, encode_frame
from lars.wire.lars_pb2 import GetHostRequest, GetRouteResponse, HostInfo, ReportRequest, ReportStatusRequest
from lars.wire.messages import MessageId, decode_message, encode_message

JSON = "application/json"
MODULE = ModuleId(1, 1)
HOST = HostAddress(0x0A000001, 80)
_INFO = HostInfo(ip=HOST.ip, port=HOST.port)
_FRAMES = [
    encode_message(MessageId.GET_HOST_REQUEST, GetHostRequest(seq=7, modid=1, cmdid=1)),
    encode_message(MessageId.REPORT_REQUEST, ReportRequest(modid=1, cmdid=1, host=_INFO, retcode=1, cost_ms=9)),
    encode_message(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(modid=1, cmdid=1, host=[_INFO] * 3)),
    encode_message(MessageId.REPORT_STATUS_REQUEST, ReportStatusRequest(modid=1, cmdid=1, boot=3, seq=4)),
]


def frames(data: bytes) -> None:
    """A TCP stream, in one piece and in many."""
    assert _decoded([data]) == _decoded([data[at : at + 1] for at in range(len(data))])


def _decoded(pieces: Iterable[bytes]) -> tuple[list[tuple[int, bytes]], str]:
    decoder, found = FrameDecoder({int(MessageId.GET_ROUTE_RESPONSE): 100_000}), []
    try:
        for piece in pieces:
            for frame in decoder.feed(piece):
                found.append(frame)
    except FrameError as error:
        return found, str(error)
    return found, ""


def messages(data: bytes) -> None:
    """A datagram, and the message in it."""
    message_id, body = decode_datagram(data)
    message = decode_message(message_id, body)
    if message is not None:
        again = decode_message(message_id, message.SerializeToString())
        assert again is not None
        assert again.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


_DIRECTORY = Directory(lambda _module: new_policy("adaptive", Random(1)), lambda _module: None)
_CODEC = DatagramCodec(_DIRECTORY)
_DIRECTORY.find(*MODULE, 0.0)
_DIRECTORY.take_route(MODULE, [HOST, HostAddress(HOST.ip + 1, 80)], 1e9, True, 0.0)
for _request in _FRAMES:
    _CODEC.answer(_request, 0.0, 1, ("127.0.0.1", 1))


def agent_datagrams(data: bytes) -> None:
    """A datagram to the agent; its answer can be read."""
    answer = _CODEC.answer(data, 1.0, 4000, ("127.0.0.1", 4000))
    if answer is not None:
        decode_message(*decode_datagram(answer))
    if len(_DIRECTORY.modules) > 1000:
        _DIRECTORY.sweep(_DIRECTORY.modules.values(), 1.0)


def dns_packets(data: bytes) -> None:
    """A query to the gateway; its answer fits."""
    with suppress(Malformed):
        query = read_query(data)
        assert len(encode_reply(query, Reply(0), query.limit(False))) <= query.limit(False)


def gateway_bodies(data: bytes) -> None:
    """Reports, and Envoy's requests."""
    for read in (read_reports, lambda body: read_discovery(body, "type"), lambda body: named_module(text_of(body))):
        with suppress(LarsError):
            read(data)


def api_bodies(data: bytes) -> None:
    """Bodies and headers of /api/v1."""
    reads: list[Callable[[], object]] = [
        lambda: change_of(data, JSON),
        lambda: drain_of(data, JSON, 1e9),
        lambda: hosts_of(json_object(data, JSON, {"hosts": True})["hosts"], "hosts"),
        lambda: etags(text_of(data)),
    ]
    for read in reads:
        with suppress(LarsError, Problem):
            read()


def forms(data: bytes) -> None:
    """A content type and a form, up to and after the first line end."""
    kind, _line, body = data.partition(b"\n")
    with suppress(LarsError):
        for _turn in form_fields(text_of(kind), body):
            pass


_FRONT = Front("https://lars.example/lars", [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")])


def forwarded_headers(data: bytes) -> None:
    """What a proxy says of its client: Forwarded, and the X-Forwarded- fields."""
    text = text_of(data)
    for fields in (("Forwarded",), ("X-Forwarded-For", "X-Forwarded-Proto"), ("Forwarded", "X-Forwarded-For")):
        _FRONT.origin("127.0.0.1", False, lambda name, fields=fields: [text] if name in fields else [])  # type: ignore[misc]


def route_files(data: bytes) -> None:
    """Routes to import: CSV, JSON, and what is one of them by its content."""
    for name in ("routes.csv", "routes.json", "routes"):
        with suppress(LarsError):
            read_routes(name, data)


_CONF = Path(tempfile.mkdtemp(prefix="lars-fuzz-")) / "lars.conf"


def conf_files(data: bytes) -> None:
    """A conf file, and an alarm rule of it."""
    _CONF.write_bytes(data)
    values = read_conf(str(_CONF))
    parse_rule("fuzzed", {key: value for (_section, key), value in values.items()})


def saved_routes(data: bytes) -> None:
    """The routes that an agent has saved; what is read is written and read alike."""
    with suppress(LarsError):
        index_routes(data)
    saved = decode_routes(data)
    assert saved.hosts.keys() == decode_routes(encode_routes(saved.hosts, saved.steering)).hosts.keys()


def saved_tables(data: bytes) -> None:
    """The table that lars-dns has saved."""
    version, routes = decode_table(data)
    assert decode_table(b"".join(encode_table(version, routes.items(), len(routes)))) == (version, routes)


def urls_and_places(data: bytes) -> None:
    """Settings of one line: URLs, networks, hosts, times. Names are left out, which would be resolved."""
    text = text_of(data)
    parsers: list[Callable[[str], object]] = [parse_url, parse_host, networks, site_url]
    for parse in (*parsers, lambda text: duration(text, 86_400)):
        with suppress(LarsError):
            parse(text)


def endpoints(data: bytes) -> None:
    """A Twisted endpoint string; its parsers are plugins, which takes milliseconds to find."""
    endpoint(text_of(data))


def records_and_settings(data: bytes) -> None:
    """The record of a host and the settings of a module, as JSON and as NAME=VALUE."""
    text = text_of(data)
    good, _problems = from_json(text)
    assert from_json(json.dumps(good)) == (good, [])
    for read in (
        lambda: parse_change(text.split("\n")),
        lambda: edited(good, text.split("\n")),
        lambda: as_json(checked(good)),
    ):
        with suppress(LarsError):
            read()
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        if isinstance(value, dict):
            with suppress(LarsError):
                host_change(value)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A parser, and inputs that it accepts, from which others are made."""

    parse: Callable[[bytes], None]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        """Raises what no parser may."""
        with suppress(LarsError):
            self.parse(data)


_QUERY = bytes.fromhex("abcd01000001000000000001") + b"\x01h\x042x01\x04lars\x00\x00\x01\x00\x01"
_OPT = bytes.fromhex("0000291000000000000000")
_RULE = b"[alarm x]\nwhat = error_rate\nabove = 5%\nwebhook = https://example/x\n[dns]\nlisten = tcp:1\n"
_SETTINGS = b'{"policy":"adaptive","health_check.type":"http","health_check.path":"/up","client_cache":false}'
_ROUTES = b'[{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "weight": 50, "tags": ["a"]}]'

PARSERS = {
    each.parse.__name__: each
    for each in (
        Fuzzed(frames, (*_FRAMES, b"".join(_FRAMES), encode_frame(99, b""))),
        Fuzzed(messages, tuple(_FRAMES)),
        Fuzzed(agent_datagrams, tuple(_FRAMES)),
        Fuzzed(dns_packets, (_QUERY + _OPT, _QUERY)),
        Fuzzed(
            gateway_bodies,
            (
                b'[{"host": "10.0.0.1:80", "retcode": 1, "cost": 0.1}]',
                b'{"resource_names": ["lars/1/1"], "version_info": "1", "type_url": "type"}',
                b"lars/1/1",
            ),
        ),
        Fuzzed(
            api_bodies,
            (
                b'{"weight": 50, "zone": "a", "tags": ["x"], "note": "n"}',
                b'{"until": "2026-01-01T00:00:00Z", "reason": "disk"}',
                b'{"seconds": 60}',
                b'{"hosts": ["10.0.0.1:80"]}',
                b'"1", W/"2", *',
            ),
        ),
        Fuzzed(
            forms,
            (
                b"application/x-www-form-urlencoded\na=1&b=%E4%BD%A0+&c",
                b"multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n",
            ),
        ),
        Fuzzed(forwarded_headers, (b'for="[2001:db8::1]:80";proto=https, for=10.0.0.1', b"10.0.0.1, 10.0.0.2:80")),
        Fuzzed(route_files, (b"modid,cmdid,ip,port,weight,tags\n1,1,10.0.0.1,80,50,a b\n", _ROUTES)),
        Fuzzed(conf_files, (_RULE,)),
        Fuzzed(
            saved_routes,
            (
                encode_routes({MODULE: [HOST]}, {}),
                encode_routes({MODULE: [HOST]}, {MODULE: Steering({HOST: 5}, {HOST: "a"}, "{}")}),
            ),
        ),
        Fuzzed(saved_tables, (b"".join(encode_table(3, [], 0)),)),
        Fuzzed(
            urls_and_places,
            (
                b"mysql://lars:p%40ss@[::1]:3306/lars?ssl_ca=/x",
                b"sqlite:////tmp/x.db",
                b"127.0.0.1:8888",
                b"10.0.0.0/8, fd00::/8",
                b"https://lars.example/x",
                b"1h30m",
            ),
        ),
        Fuzzed(endpoints, (b"tcp:7778:interface=127.0.0.1", b"unix:/run/lars.sock", b"ssl:1:privateKey=a:certKey=b")),
        Fuzzed(records_and_settings, (b"weight=50\nzone=b\ntags=a,b\nnote=x", _SETTINGS, b'{"weight": 5, "tags": []}')),
    )
}
"""By name."""
