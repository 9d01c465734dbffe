"""A host to call, as the agent chose it."""

from dataclasses import dataclass

from lars.route import HostAddress, ModuleId, format_ip


@dataclass(frozen=True, slots=True)
class Host:
    """A host to call, and the module that it was chosen for. `str` gives IP:PORT.

    >>> from lars.route import ModuleId, parse_host
    >>> host = Host(ModuleId(1, 1), parse_host("10.0.0.5:8080"))
    >>> f"http://{host}/"
    'http://10.0.0.5:8080/'
    >>> host.ip, host.port
    ('10.0.0.5', 8080)
    """

    module: ModuleId
    address: HostAddress

    @property
    def ip(self) -> str:
        """The dotted IPv4 address."""
        return format_ip(self.address.ip)

    @property
    def port(self) -> int:
        """The port, 1 to 65535."""
        return self.address.port

    def __str__(self) -> str:
        return str(self.address)
