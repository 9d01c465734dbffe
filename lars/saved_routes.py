"""Saved routes: one JSON file a shard, so that an agent that starts while dns is away still answers.

See docs/design/agent.md, saved routes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lars.errors import InvalidRoute, LarsError
from lars.route import HostAddress, ModuleId, module_id, parse_host

FORMAT = 1

SavedRoutes = dict[ModuleId, list[HostAddress]]


class DamagedFile(LarsError):
    """A file of saved routes that cannot be read as one."""


def routes_path(state_dir: str, shard: int) -> Path:
    """Where a shard's routes are saved."""
    return Path(state_dir) / f"routes.{shard}.json"


def encode_routes(routes: Mapping[ModuleId, Sequence[HostAddress]]) -> bytes:
    """The file's content: {"format": 1, "routes": [{"modid": 1, "cmdid": 1, "hosts": ["10.0.0.5:80"]}]}."""
    items = [{"modid": m.modid, "cmdid": m.cmdid, "hosts": [str(h) for h in hosts]} for m, hosts in routes.items()]
    return json.dumps({"format": FORMAT, "routes": items}, separators=(",", ":")).encode()


def decode_routes(data: bytes) -> SavedRoutes:
    """The routes of a file; raises DamagedFile, saying what is wrong."""
    try:
        return {
            module_id(*module): [parse_host(host) for host in hosts] for module, hosts in index_routes(data).items()
        }
    except InvalidRoute as error:
        raise DamagedFile(str(error)) from error
    except (TypeError, AttributeError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def index_routes(data: bytes) -> dict[tuple[int, int], list[str]]:
    """The routes of a file by (modid, cmdid), their hosts not looked at; raises DamagedFile, saying what is wrong."""
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise DamagedFile(f"format {content['format']!r} is not {FORMAT}")
        return {(int(item["modid"]), int(item["cmdid"])): list(item["hosts"]) for item in content["routes"]}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def load_routes(path: Path) -> SavedRoutes:
    """What a file holds, nothing if there is none.

    Raises DamagedFile, naming the file, when it cannot be used; a damaged one is set aside under another name.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
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


def save_routes(path: Path, content: bytes) -> None:
    """Replaces the file in one step, readable by all (mode 0644); raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".new{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
