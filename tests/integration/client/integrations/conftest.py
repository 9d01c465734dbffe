"""The fixtures of the integrations' tests: a real agent, and two HTTP servers that are the hosts of module (1, 1)."""

import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_twisted

from lars.route import ModuleId, parse_host
from tests.integration.client.integrations.http_hosts import HttpHost
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 1.1.lars in one file, which is its own authority."""
    folder = tmp_path_factory.mktemp("certificate")
    file = folder / "both.pem"
    key, crt = folder / "key", folder / "crt"
    make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {crt}"
    name = ["-subj", "/CN=lars test", "-addext", "subjectAltName=DNS:1.1.lars"]
    subprocess.run([*make.split(), *name], check=True, capture_output=True)
    file.write_bytes(crt.read_bytes() + key.read_bytes())
    return file


@pytest.fixture
def hosts() -> Iterator[list[HttpHost]]:
    """Two servers."""
    hosts = [HttpHost(), HttpHost()]
    yield hosts
    for host in hosts:
        host.close()


@pytest.fixture
def tls_host(certificate: Path) -> Iterator[HttpHost]:
    """A server with a certificate for 1.1.lars."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    host = HttpHost(context)
    yield host
    host.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def agent(start_service: StartService, tmp_path: Path, hosts: list[HttpHost]) -> AsyncIterator[LoneAgent]:
    """With the two as the hosts of (1, 1); answers."""
    agent = LoneAgent(
        start_service, tmp_path, {ModuleId(1, 1): [parse_host(host.address) for host in hosts]}, "--policy=round_robin"
    )
    await agent.up()
    yield agent
    agent.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def tls_agent(start_service: StartService, tmp_path: Path, tls_host: HttpHost) -> AsyncIterator[LoneAgent]:
    """With the TLS server as the host of (1, 1); answers."""
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): [parse_host(tls_host.address)]})
    await agent.up()
    yield agent
    agent.close()
