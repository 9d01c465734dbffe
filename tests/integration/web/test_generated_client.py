"""A client that openapi-python-client generates from the API's document, used as a program would."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest
from twisted.internet.threads import deferToThread

from tests.integration.web.conftest import Site, token_of

PACKAGE = "generated_lars"


def generate(document: bytes, folder: Path) -> None:
    """Generates the client, in which nothing is missing but bodies of CSV, for which the generator has no type."""
    (folder / "openapi.json").write_bytes(document)
    command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path=openapi.json"]
    options = ["--meta=none", f"--output-path={folder / PACKAGE}"]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert (folder / PACKAGE / "client.py").exists(), said
    assert said.count("WARNING") == said.count("Unsupported content type text/csv") == 1, said


def part(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


def use(base: str, token: str) -> dict[str, Any]:
    """What a program does with the generated client, and what it is answered."""
    models, found = part("models"), dict[str, Any]()
    with part("client").AuthenticatedClient(base_url=f"{base}/api/v1", token=token) as client:

        def call(name: str, *args: Any, **kwargs: Any) -> Any:
            answer = part(f"api.default.{name}").sync_detailed(*args, client=client, **kwargs)
            assert answer.status_code < 300, (name, answer)
            return answer.parsed

        added = call("edit_hosts", 0, 7, body=models.HostEdits(add=["10.0.0.1:80"]))
        found["added"] = added.changed[0].added
        for name in ("支付", "café"):
            call("name_cmdid", 7, body=models.Name(name=name))
            found[name] = call("get_module", 0, 7).cmdid_name
        route = models.NewRoute(modid=0, cmdid=8, ip="10.0.0.2", port=80)
        found["imported"] = len(call("import_routes", body=[route]).changed)
        csv, as_csv = b"port,ip,cmdid,modid\n80,10.0.0.3,9,0\n", {"Content-Type": "text/csv"}
        answer = client.get_httpx_client().post("/routes", content=csv, headers=as_csv)
        found["from CSV"] = len(models.Edited.from_dict(answer.json()).changed)
        found["modules"] = [(m.modid, m.cmdid, m.hosts) for m in call("list_modules").modules]
        found["sorted"] = len(call("list_modules", sort=models.ListModulesSort.HOSTS).modules)
        call("register_host", 0, 8, "10.0.0.4:80", ttl=30)
        found["ttl"] = call("get_host", 0, 8, "10.0.0.4:80").ttl
        found["overview"] = call("get_overview").modules
        found["exported"] = len(call("export_routes"))
        refused = part("api.default.get_module").sync(0, 0, client=client)
        found["refused"] = (refused.status, refused.title)
    return found


async def test_generated_client_can_do_what_the_api_takes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.up()
    token = await token_of(site, "editor")

    def document() -> bytes:
        with urlopen(f"{site.base}/api/v1/openapi.json", timeout=10) as answer:
            return bytes(answer.read())

    described = await deferToThread(document)
    assert json.loads(described)["openapi"] == "3.1.0"
    await deferToThread(generate, described, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = await deferToThread(use, site.base, token)
    assert found == {
        "added": ["10.0.0.1:80"],
        "支付": "支付",
        "café": "café",
        "imported": 1,
        "from CSV": 1,
        "modules": [(0, 7, 1), (0, 8, 1), (0, 9, 1)],
        "sorted": 3,
        "ttl": 30,
        "overview": 3,
        "exported": 4,
        "refused": (404, "Not Found"),
    }
