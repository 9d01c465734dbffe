"""HAProxy and nginx follow a route by DNS."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted

from tests.integration.gateway.followed import Followed
from tests.integration.gateway.running_gateway import StartService
from tests.integration.processes import Child, ReservedPort

HAPROXY = """
global
    nbthread 1
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
resolvers lars
    nameserver gateway 127.0.0.1:{dns}
    accepted_payload_size 1232
    timeout resolve 200ms
    timeout retry 200ms
    hold valid 200ms
    hold obsolete 200ms
frontend f
    bind 127.0.0.1:{port}
    default_backend payments
backend payments
    balance roundrobin
    server-template host 5 _lars._tcp.1.1.lars resolvers lars resolve-prefer ipv4 init-addr none
"""

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    resolver 127.0.0.1:{dns} ipv6=off valid=1s;
    resolver_timeout 2s;
    server {{
        listen 127.0.0.1:{port};
        set $payments 1.1.lars;
        location / {{ proxy_pass http://$payments:{backend}; }}
    }}
}}
"""


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def followed(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> AsyncIterator[Followed]:
    followed = Followed(reactor, start_service, sqlite_url, tmp_path)
    yield followed
    await followed.close()


async def test_haproxy_and_nginx_follow_edits(followed: Followed, reactor: Any, tmp_path: Path) -> None:
    await followed.up(hosts=2)
    first, second, third = followed.backends.hosts
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    with ReservedPort() as haproxy_port, ReservedPort() as nginx_port:
        haproxy_conf, nginx_conf = tmp_path / "haproxy.cfg", tmp_path / "nginx.conf"
        facts = {"dns": followed.gateway.dns_port, "backend": followed.backends.port, "folder": tmp_path}
        haproxy_conf.write_text(HAPROXY.format(port=haproxy_port.number, **facts), encoding="utf-8")
        nginx_conf.write_text(NGINX.format(port=nginx_port.number, **facts), encoding="utf-8")
        haproxy = ["haproxy", "-db", "-f", str(haproxy_conf)]
        nginx = ["nginx", "-e", "stderr", "-p", str(tmp_path), "-c", str(nginx_conf)]

        async def calls_go_to(*hosts: str) -> None:
            await followed.calls_go_to(haproxy_port.number, *hosts)
            await followed.calls_go_to(nginx_port.number, *hosts, to_each=False)  # it keeps one for a second

        with (
            Child(reactor, "haproxy", haproxy, tmp_path, {"PATH": path}) as one,
            Child(reactor, "nginx", nginx, tmp_path, {"PATH": path}) as other,
        ):
            one.start()
            other.start()
            await calls_go_to(first, second)
            await followed.add(third)
            await followed.remove(first)
            await calls_go_to(second, third)
