"""Saved routes: one JSON file for each shard, from which an agent answers if it starts while lars-dns is down.

See docs/design/agent.md, saved routes.
"""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lars.errors import InvalidRoute, LarsError
from lars.route import HostAddress, ModuleId, module_id, parse_host

FORMAT = 1
"""The version of the file format; other versions are not read."""

SavedRoutes = dict[ModuleId, list[HostAddress]]


class DamagedFile(LarsError):
    """A file is not one of saved routes, or cannot be read."""


def routes_path(state_dir: str, shard: int) -> Path:
    """The path of a shard's saved routes."""
    return Path(state_dir) / f"routes.{shard}.json"


def encode_routes(routes: Mapping[ModuleId, Sequence[HostAddress]]) -> bytes:
    """The file's content: {"format": 1, "routes": [{"modid": 1, "cmdid": 1, "hosts": ["10.0.0.5:80"]}]}."""
    items = [{"modid": m.modid, "cmdid": m.cmdid, "hosts": [str(h) for h in hosts]} for m, hosts in routes.items()]
    return json.dumps({"format": FORMAT, "routes": items}, separators=(",", ":")).encode()


def decode_routes(data: bytes) -> SavedRoutes:
    """The routes in a file's content; raises DamagedFile."""
    try:
        return {
            module_id(*module): [parse_host(host) for host in hosts] for module, hosts in index_routes(data).items()
        }
    except InvalidRoute as error:
        raise DamagedFile(str(error)) from error
    except (TypeError, AttributeError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def index_routes(data: bytes) -> dict[tuple[int, int], list[str]]:
    """The hosts in a file's content, as unchecked texts by (modid, cmdid); raises DamagedFile."""
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise DamagedFile(f"format {content['format']!r} is not {FORMAT}")
        return {(int(item["modid"]), int(item["cmdid"])): list(item["hosts"]) for item in content["routes"]}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedFile("it is not a file of saved routes") from error


def load_routes(path: Path) -> SavedRoutes:
    """The routes in a file; empty if there is no such file.

    Raises DamagedFile, which names the file; a damaged file is renamed to end in .damaged.
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
