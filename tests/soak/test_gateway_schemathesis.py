"""The gateway is what its OpenAPI document says: schemathesis tries right and wrong requests, and finds nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.gateway.running_gateway import AgentAndGateway, StartService
from tests.integration.web.test_schemathesis import CONFIG

EXAMPLES = 30
"""Requests of each kind for each operation."""


async def test_schemathesis_finds_nothing(reactor: Any, start_service: StartService, tmp_path: Path) -> None:
    gateway = AgentAndGateway(reactor, start_service, tmp_path)
    await gateway.up()
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={CONFIG}",
            "run",
            f"http://127.0.0.1:{gateway.port}/v1/openapi.json",
            "--checks=all",
            f"--max-examples={EXAMPLES}",
            "--phases=examples,coverage,fuzzing",
            "--seed=7",
            "--no-color",
            "--suppress-health-check=all",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=400,
    )
    gateway.close()
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
