"""`lars tls`: a CA and its certificates, for a first try of TLS."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import click

from lars.cli.certificates import KeyPair, new_ca, new_certificate, read_key_pair
from lars.errors import LarsError, SettingsError

_HOST = re.compile(r"[0-9A-Za-z*]([0-9A-Za-z.:-]*[0-9A-Za-z])?|::1")


@click.group()
def tls() -> None:
    """Make certificates for a first try of TLS between agents and servers."""


@tls.command()
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default="tls", show_default=True)
@click.option("--host", "hosts", multiple=True, help="A name or address of lars-dns and lars-reporter; several times.")
def init(folder: Path, hosts: tuple[str, ...]) -> None:
    """Make a CA, and certificates of it for the servers and the agents, in a folder.

    The CA is kept if it is there; the certificates are made anew, so that running it again renews them. Whoever has
    ca-key.pem can join the fleet: keep it where no service runs.

    \b
    Example:
      lars tls init --dir /etc/lars/tls --host dns1.example --host 10.0.0.7
    """
    named = list(dict.fromkeys((*hosts, "localhost", "127.0.0.1")))
    for host in named:
        if not _HOST.fullmatch(host):
            raise SettingsError(f"--host {host}: write a name such as dns1.example, or an address")
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        ca = _ca(folder, now)
        _write(folder, "server", new_certificate(ca, named[0], named, now))
        _write(folder, "agent", new_certificate(ca, "lars-agent", (), now))
    except OSError as error:
        raise LarsError(f"{error.filename}: {error.strerror}: give a folder that you may write to") from None
    options = f"--tls-ca {folder}/ca.pem"
    click.echo(f"lars-dns, lars-reporter: --tls-cert {folder}/server.pem --tls-key {folder}/server-key.pem {options}")
    click.echo(f"lars-agent:              --tls-cert {folder}/agent.pem --tls-key {folder}/agent-key.pem {options}")


def _ca(folder: Path, now: datetime) -> KeyPair:
    """The CA of a folder, made if there is none."""
    certificate, key = folder / "ca.pem", folder / "ca-key.pem"
    if not certificate.exists() and not key.exists():
        ca = new_ca(now)
        _write(folder, "ca", ca)
        return ca
    try:
        ca = read_key_pair(certificate.read_bytes(), key.read_bytes())
    except (ValueError, TypeError) as error:
        raise LarsError(f"{folder}: ca.pem and ca-key.pem are not the CA of an earlier run ({error})") from None
    click.echo(f"kept {certificate}")
    return ca


def _write(folder: Path, name: str, pair: KeyPair) -> None:
    """Writes a certificate and its key, each whole: a service may be about to read them."""
    for path, data, mode in (
        (folder / f"{name}-key.pem", pair.key_pem, 0o600),
        (folder / f"{name}.pem", pair.certificate_pem, 0o644),
    ):
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
        new.replace(path)
        click.echo(f"wrote {path}")
