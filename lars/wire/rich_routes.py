"""Routes with weights, zones and settings: which agents read them, and how long they may be.

See docs/design/wire.md, rich routes.
"""

from sys import intern

from lars.errors import InvalidRoute
from lars.host_record import DEFAULT_WEIGHT, MAX_WEIGHT, zone
from lars.route import UNSTEERED, HostAddress, Steering
from lars.wire.lars_pb2 import GetRouteResponse

RICH_PEER = 3
"""The `peer` of a GetRouteRequest whose sender reads weights, zones and settings, in routes up to MAX_RICH_ROUTE."""

MAX_RICH_ROUTE = 384 * 1024
"""The longest GetRouteResponse, in bytes, of lars-dns to such an agent.

The fullest module, 4,000 hosts with zones of 64 characters, takes 330 KB.
"""


def steering_of(response: GetRouteResponse) -> Steering:
    """What a route carries besides its hosts; what a host cannot have is left out."""
    weights = {}
    zones = {}
    for host in response.host:
        if host.HasField("weight") and host.weight != DEFAULT_WEIGHT and host.weight <= MAX_WEIGHT:
            weights[HostAddress(host.ip, host.port)] = host.weight
        if host.zone and _is_zone(host.zone):
            zones[HostAddress(host.ip, host.port)] = intern(host.zone)
    if not (weights or zones or response.settings.json):
        return UNSTEERED
    return Steering(weights, zones, response.settings.json)


def _is_zone(text: str) -> bool:
    try:
        zone(text)
    except InvalidRoute:
        return False
    return True
