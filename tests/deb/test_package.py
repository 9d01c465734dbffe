"""The package installs on a bare Debian, works there as its own user, and goes without a trace."""

import gzip
import shutil
import signal
import subprocess
from pathlib import Path

from bench.processes.ports import ReservedPort, free_udp_base
from bench.processes.waiting import until
from lars import __version__
from tests.deb.conftest import Debian


def test_package_is_installed_used_and_removed(debian: Debian, package: Path) -> None:
    before = debian.files()
    shutil.copy(package, debian.root / "tmp" / "lars.deb")
    debian.ok("dpkg", "--install", "/tmp/lars.deb")

    assert debian.ok("lars", "--version") == f"lars {__version__}\n"
    assert debian.ok("stat", "--format=%U:%G %a", "/var/lib/lars", "/etc/lars", "/etc/lars/lars-dns.conf").split(
        "\n"
    ) == [
        "lars:lars 755",
        "root:lars 750",
        "root:lars 640",
        "",
    ]
    for page, text in (("man1/lars.1.gz", "lars doctor"), ("man8/lars-services.8.gz", "systemctl")):
        manual = gzip.decompress((debian.root / "usr/share/man" / page).read_bytes()).decode()
        assert text in manual.replace("\\-", "-")
    completion = "_LARS_COMPLETE=bash_complete COMP_WORDS='lars doc' COMP_CWORD=1 lars"
    assert "doctor" in debian.ok("bash", "-c", completion)
    assert "_lars_completion" in (debian.root / "usr/share/bash-completion/completions/lars").read_text()
    stranger = debian.run("lars", "doctor", user="nobody:nogroup")
    assert stranger.returncode == 2
    assert "cannot read it" in stranger.stderr
    units = debian.root / "lib/systemd/system"
    for unit in units.glob("lars-*.service"):
        [start] = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
        assert (debian.root / start.removeprefix("ExecStart=").split()[0].lstrip("/")).exists()

    answers_as_the_user_lars(debian)

    debian.ok("dpkg", "--remove", "lars")
    assert not (debian.root / "usr/lib/lars").exists()
    assert (debian.root / "etc/lars/lars-dns.conf").exists()
    debian.ok("dpkg", "--purge", "lars")
    assert debian.files() - before == set()


def answers_as_the_user_lars(debian: Debian) -> None:
    """All services run from the package, without a right to write to it, and answer."""
    ports = {name: ReservedPort() for name in ("dns", "reporter", "web")}
    agent = f"127.0.0.1:{free_udp_base(3)}"
    database = "sqlite:////var/lib/lars/lars.db"
    listen = [f"--{name}-listen={port.endpoint}" for name, port in ports.items()]
    command = ["/usr/lib/lars/bin/twistd", "-n", "--pidfile=", "lars", f"--db={database}", f"--agent-listen={agent}"]
    chroot = ["chroot", "--userspec=lars:lars", str(debian.root), *command, "--gateway-listen=", *listen]
    log = debian.root / "tmp" / "lars.log"
    state = "--state-dir=/var/lib/lars/state"
    with log.open("wb") as out, subprocess.Popen([*chroot, state], stdout=out, stderr=subprocess.STDOUT) as stack:
        try:
            until(lambda: "Lars is up" in log.read_text(), "Lars to be up", 60)
            debian.ok("lars", "route", "add", "1", "1", "10.0.0.5:8080", "--db", database, user="lars:lars")
            assert debian.ok("lars", "get-host", "1", "1", "--agent", agent) == "10.0.0.5:8080\n"
        finally:
            stack.send_signal(signal.SIGTERM)
            stack.wait(20)
    for port in ports.values():
        port.close()
    assert "Traceback" not in log.read_text()
    log.unlink()
