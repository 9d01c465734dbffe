"""The type of the reactor: the interfaces that Lars uses of it, as one.

What needs only time takes an IReactorTime, which a Clock provides; what opens sockets, starts threads or processes
takes an IReactor. The installed reactor provides all of them.
"""

from typing import cast

from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorPluggableNameResolver,
    IReactorProcess,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUDP,
    IReactorUNIX,
)


class IReactor(
    IReactorCore,
    IReactorFDSet,
    IReactorPluggableNameResolver,
    IReactorProcess,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUDP,
    IReactorUNIX,
):
    """A reactor of Twisted on Linux: select, poll and epoll alike (Synapse's ISynapseReactor is the model)."""


def installed_reactor() -> IReactor:
    """The reactor that this process runs, installed now if none is.

    For the places that start things (taps, command line, clients); everything else takes the reactor as a parameter.
    """
    from twisted.internet import reactor

    return cast(IReactor, reactor)
