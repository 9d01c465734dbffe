"""What a call is about, as a number: calls with one key go to one host where the policy is consistent_hash."""

from hashlib import blake2b

from lars.client.errors import InvalidArgument

Key = int | str | bytes

_MAX_KEY = 2**64 - 1


def key_number(key: Key | None) -> int:
    """The key on the wire, 1 to 2**64 - 1; 0 for None.

    A number is its own key, but that 0 is 2**64 - 1, because 0 on the wire is no key. A text is that of its UTF-8
    bytes, and bytes are the little-endian number of their 8-byte BLAKE2b digest (RFC 7693), so that every process and
    every version has the same. Raises InvalidArgument for anything else.
    """
    if key is None:
        return 0
    if isinstance(key, str):
        key = key.encode("utf-8", "surrogatepass")
    if isinstance(key, bytes | bytearray | memoryview):
        return int.from_bytes(blake2b(key, digest_size=8).digest(), "little") or _MAX_KEY
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key <= _MAX_KEY:
        return key or _MAX_KEY
    raise InvalidArgument(f"key {key!r} cannot be used: give a number from 0 to 2**64 - 1, a str or bytes")
