"""DNS messages for the tests, made and read by twisted.names."""

from twisted.names import dns

OPT = 41


def asked(name: str, kind: int = dns.A, cls: int = dns.IN, edns: int | None = None, version: int = 0) -> bytes:
    """A query; `edns` is the size of a datagram that its client takes."""
    message = dns.Message(id=4711, recDes=1)
    message.queries = [dns.Query(name.encode(), kind, cls)]
    if edns is not None:
        message.additional = [dns.RRHeader(b"", OPT, edns, version << 16, dns.UnknownRecord(b"", 0))]
    return message.toStr()


def read(data: bytes) -> dns.Message:
    """An answer."""
    message = dns.Message()
    message.fromStr(data)
    return message
