"""The C library's resolver asks lars-gateway, in a network and with an /etc of its own; needs unshare(1)."""

import os
import sys
from pathlib import Path
from typing import Any

from tests.integration.own_network import in_own_network
from tests.integration.processes import Child

SCRIPT = """
printf 'nameserver 127.0.0.1\\noptions timeout:2 attempts:1\\n' >resolv.conf
printf 'hosts: files dns\\n' >nsswitch.conf
mount --bind resolv.conf /etc/resolv.conf
mount --bind nsswitch.conf /etc/nsswitch.conf
twistd -n lars --gateway-dns 127.0.0.1:53 >stack.log &
lars route add 1 1 10.0.0.1:80 10.0.0.2:80
until curl -sf http://127.0.0.1:7781/v1/modules/1/1/host; do sleep 0.05; done
getent hosts 1.1.lars 1.1.lars
getent ahosts 1.1.LARS
getent hosts 9.9.lars || echo "no such name: $?"
kill -9 %1
getent hosts 1.1.lars || echo "no server: $?"
echo all done
"""


async def test_getent_finds_a_host(reactor: Any, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(SCRIPT, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    unset = [f"--unset={name}" for name in ("LARS_DB", "LARS_AGENT", "LARS_STATE_DIR")]
    script = ["env", *unset, f"PATH={path}", "unshare", "--mount", "bash", "-em", "script"]
    with Child(reactor, "bash", in_own_network(script), tmp_path) as bash:
        bash.start()
        await bash.says("all done", deadline=60)
        printed = bash.log().split("}")[-1].split()
    hosts = {"10.0.0.1", "10.0.0.2"}
    assert printed[0] in hosts
    assert printed[1:3:2] == ["1.1.lars"]
    assert {"STREAM", "DGRAM", "RAW"} <= set(printed)
    assert bash.log().count("no such name: 2") == bash.log().count("no server: 2") == 1
