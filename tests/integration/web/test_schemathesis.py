"""The API is what its OpenAPI document says: schemathesis tries it with right and wrong requests, and finds nothing."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.web.conftest import Site, token_of

EXAMPLES = 15
"""Requests of each kind for each operation."""

CONFIG = Path(__file__).with_name("schemathesis.toml")


async def test_schemathesis_finds_nothing(site: Site, tmp_path: Path) -> None:
    await site.up()
    site.commands.ok("route", "add", "1", "1", "127.0.0.1:9001")
    token = await token_of(site, "editor")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={CONFIG}",
            "run",
            f"{site.base}/api/v1/openapi.json",
            f"--header=Authorization: Bearer {token}",
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
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
