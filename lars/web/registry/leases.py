"""Which silent hosts may leave their route: pure.

The rule is the self-preservation of Netflix Eureka: when most nodes of a service fall silent at once, the network to
them has failed rather than the nodes.
"""

import math

from lars.db.leases import Silence
from lars.route import HostAddress


def leaving(silence: Silence, ratio: float) -> frozenset[HostAddress]:
    """The silent hosts that may leave, the longest silent first.

    Of the hosts of the module, those included that have left lately, at most the share `ratio` (0 to 1) leaves. With a
    ratio below 1 the last host of a module never leaves.
    """
    there = silence.alive + len(silence.silent)
    least = math.ceil((there + silence.left_lately) * (1 - ratio) - 1e-9)
    return frozenset(silence.silent[: max(0, there - least)])
