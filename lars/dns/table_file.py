"""The file of a saved route table, with which lars-dns can start while the database is away.

The format is binary, with a check sum at the end. A file is replaced in one step, never edited.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from glob import escape
from pathlib import Path
from struct import Struct
from struct import error as StructError

from lars.dns.packed_route import host_count, is_whole
from lars.dns.table import Routes
from lars.errors import LarsError
from lars.route import MAX_HOSTS, ModuleId

_MAGIC = b"LARS ROUTES 2\n"
_MAGIC_1 = b"LARS ROUTES 1\n"
_HEAD = Struct(">qQ")  # version, modules
_MODULE = Struct(">III")  # modid, cmdid, bytes of the packed route that follows
_MODULE_1 = Struct(">IIH")  # modid, cmdid, hosts of 6 bytes that follow
_CHECK = Struct(">I")  # CRC-32 of all before it
_HOST_SIZE = 6


class DamagedTable(LarsError):
    """A file that is not a saved table, or not a whole one."""


def encode_table(version: int, routes: Iterable[tuple[ModuleId, bytes]], modules: int) -> Iterator[bytes]:
    """The file's content, in pieces: magic, version, modules with their packed hosts, check sum."""
    check = 0
    for piece in _pieces(version, routes, modules):
        check = zlib.crc32(piece, check)
        yield piece
    yield _CHECK.pack(check)


def _pieces(version: int, routes: Iterable[tuple[ModuleId, bytes]], modules: int) -> Iterator[bytes]:
    yield _MAGIC + _HEAD.pack(version, modules)
    for module, packed in routes:
        yield _MODULE.pack(*module, len(packed)) + packed


def decode_table(data: bytes) -> tuple[int, Routes]:
    """The version and routes of a file's content, also of the format before this one; raises DamagedTable."""
    end = len(data) - _CHECK.size
    if not data.startswith((_MAGIC, _MAGIC_1)) or end < len(_MAGIC) + _HEAD.size:
        raise DamagedTable("it is not a saved table of lars-dns")
    if zlib.crc32(memoryview(data)[:end]) != _CHECK.unpack_from(data, end)[0]:
        raise DamagedTable("its check sum is wrong")
    head, size = (_MODULE, 1) if data.startswith(_MAGIC) else (_MODULE_1, _HOST_SIZE)
    version, modules = _HEAD.unpack_from(data, len(_MAGIC))
    routes: Routes = {}
    position = len(_MAGIC) + _HEAD.size
    try:
        for _ in range(modules):
            modid, cmdid, length = head.unpack_from(data, position)
            position += head.size
            packed = routes[ModuleId(modid, cmdid)] = data[position : position + length * size]
            position += length * size
            if position > end or not is_whole(packed) or host_count(packed) > MAX_HOSTS:
                raise DamagedTable("a module has no hosts, or too many")
    except StructError:
        raise DamagedTable("it ends too early") from None
    if position != end:
        raise DamagedTable("it is longer than its table")
    return version, routes


def load_table(path: Path) -> tuple[int, Routes] | None:
    """The table of a file, None if there is no such file; raises DamagedTable, naming the file."""
    try:
        return decode_table(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedTable(f"saved table {path} cannot be read: {error.strerror}") from None
    except DamagedTable as error:
        raise DamagedTable(f"saved table {path} is not used: {error}") from None


def remove_leftovers(path: Path) -> None:
    """Removes the unfinished files of processes that were killed while they saved."""
    for left in path.parent.glob(f"{escape(path.name)}.new*"):
        with suppress(OSError):
            left.unlink()


def save_table(path: Path, content: Iterable[bytes]) -> None:
    """Replaces the file in one step. On failure, raises OSError and leaves the old file as it is."""
    new = path.with_name(f"{path.name}.new{os.getpid()}")
    try:
        with new.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
