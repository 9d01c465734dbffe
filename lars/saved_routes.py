"""Saved routes: one JSON file for each shard, from which an agent answers if it starts while lars-dns is down.

See docs/design/agent.md, saved routes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lars.errors import InvalidRoute, LarsError
from lars.host_record import weight as parse_weight
from lars.host_record import zone as parse_zone
from lars.route import HostAddress, ModuleId, Steering, module_id, parse_host

FORMAT = 1
"""The version of the file format; other versions are not read.

Weights, zones and settings came later, as keys that readers of earlier versions pass over.
"""


@dataclass(frozen=True, slots=True)
class SavedRoutes:
    """The hosts of modules, and what was set for those modules for which something was."""

    hosts: dict[ModuleId, list[HostAddress]] = field(default_factory=dict)
    steering: dict[ModuleId, Steering] = field(default_factory=dict)


class DamagedFile(LarsError):
    """A file is not one of saved routes, or cannot be read."""


def routes_path(state_dir: str, shard: int) -> Path:
    """The path of a shard's saved routes."""
    return Path(state_dir) / f"routes.{shard}.json"


def encode_routes(
    routes: Mapping[ModuleId, Sequence[HostAddress]], steering: Mapping[ModuleId, Steering] | None = None
) -> bytes:
    """The file's content: {"format": 1, "routes": [{"modid": 1, "cmdid": 1, "hosts": ["10.0.0.5:80"]}]}.

    Where something was set: "weights" and "zones" by host, "settings" as text, and in "drained", not in "hosts", the
    hosts of weight 0, unless all are.
    """
    items = [_item(module, hosts, (steering or {}).get(module)) for module, hosts in routes.items()]
    return json.dumps({"format": FORMAT, "routes": items}, separators=(",", ":")).encode()


def _item(module: ModuleId, hosts: Sequence[HostAddress], steering: Steering | None) -> dict[str, Any]:
    ids = {"modid": module.modid, "cmdid": module.cmdid}
    if steering is None:
        return {**ids, "hosts": [str(host) for host in hosts]}
    drained = [host for host in hosts if steering.weights.get(host) == 0]
    taking = [host for host in hosts if steering.weights.get(host) != 0]
    item = {
        **ids,
        "hosts": [str(host) for host in taking or drained],
        "drained": [str(host) for host in drained] if taking else [],
        "weights": {str(host): weight for host, weight in steering.weights.items()},
        "zones": {str(host): zone for host, zone in steering.zones.items()},
        "settings": steering.settings,
    }
    return {name: value for name, value in item.items() if value or name in (*ids, "hosts")}


def decode_routes(data: bytes) -> SavedRoutes:
    """The routes in a file's content; raises DamagedFile."""
    saved = SavedRoutes()
    try:
        for item in _items(data):
            module = module_id(int(item["modid"]), int(item["cmdid"]))
            saved.hosts[module] = [parse_host(host) for host in (*item["hosts"], *item.get("drained", ()))]
            if item.keys() & {"drained", "weights", "zones", "settings"}:
                saved.steering[module] = Steering(
                    {parse_host(host): parse_weight(weight) for host, weight in item.get("weights", {}).items()},
                    {parse_host(host): parse_zone(zone) for host, zone in item.get("zones", {}).items()},
                    str(item.get("settings", "")),
                )
        return saved
    except InvalidRoute as error:
        raise DamagedFile(str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def index_routes(data: bytes) -> dict[tuple[int, int], list[str]]:
    """The hosts in a file's content, as unchecked texts by (modid, cmdid); raises DamagedFile.

    Drained hosts are left out.
    """
    try:
        return {(int(item["modid"]), int(item["cmdid"])): list(item["hosts"]) for item in _items(data)}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def _items(data: bytes) -> list[Any]:
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise DamagedFile(f"format {content['format']!r} is not {FORMAT}")
        return list(content["routes"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def load_routes(path: Path) -> SavedRoutes:
    """The routes in a file; empty if there is no such file.

    Raises DamagedFile, which names the file; a damaged file is renamed to end in .damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return SavedRoutes()
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read: {error.strerror}; starting without saved routes") from None
    try:
        return decode_routes(data)
    except DamagedFile as error:
        aside = path.with_suffix(".damaged")
        try:
            os.replace(path, aside)
        except OSError:
            aside = path
        raise DamagedFile(f"{path} is damaged ({error}): kept as {aside}; starting without saved routes") from None


def make_state_dir(state_dir: str) -> None:
    """Makes the folder and those above it that are missing, with mode 0755 whatever the umask: clients read in it.

    Raises OSError.
    """
    folder = Path(state_dir)
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(0o755)


def save_routes(path: Path, content: bytes) -> None:
    """Replaces the file atomically, with mode 0644 and a flush to disk; one process alone may do so.

    Raises OSError, and leaves the old file as it is and nothing else.
    """
    make_state_dir(str(path.parent))
    new = path.with_suffix(".new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Removes the unfinished files of processes that were killed while they saved to `path`."""
    for left in path.parent.glob(f"{path.stem}.new*"):
        with suppress(OSError):
            left.unlink()
