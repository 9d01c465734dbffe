"""The type of the reactor: the interfaces that Lars uses of it, as one.

What needs only time takes an IReactorTime, which a Clock provides; what opens sockets, starts threads or processes
takes an IReactor. The installed reactor provides all of them.

Twisted's reactors schedule by the wall clock (https://github.com/twisted/twisted/issues/2424): set back by an hour, no
delayed call and no LoopingCall runs for an hour. Lars's processes run on `monotonic_reactor`, whose `seconds` is
`time.monotonic`; the wall clock is a parameter of its own, `wall_clock`, where people or the database see the time.
"""

import time
from typing import Any, cast

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


def monotonic_reactor() -> IReactor:
    """The installed reactor, scheduling by the monotonic clock from now on.

    For the places that start a process of Lars (taps, command line); everything else takes the reactor as a parameter.
    """
    reactor = installed_reactor()
    schedule_by_monotonic_clock(reactor)
    return reactor


def schedule_by_monotonic_clock(reactor: Any) -> None:
    """Makes `reactor.seconds` the monotonic clock; calls scheduled before keep the time that they have left.

    Everything in the process that takes `reactor.seconds()` for Unix time must take `time.time()` instead.

    Args:
        reactor: any reactor that is a twisted.internet.base.ReactorBase: select, poll, epoll and asyncio alike.
    """
    if reactor.seconds is time.monotonic:
        return
    left = [(call, call.getTime() - reactor.seconds()) for call in reactor.getDelayedCalls()]
    reactor.seconds = time.monotonic
    for call, seconds in left:
        call.seconds = time.monotonic
        call.reset(max(0.0, seconds))


def installed_reactor() -> IReactor:
    """The reactor that this process runs, installed now if none is; its clock is left as it is.

    For the Twisted client, which runs in programs of others.
    """
    from twisted.internet import reactor

    return cast(IReactor, reactor)
