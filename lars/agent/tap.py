"""`twistd lars-agent`."""

import os

from twisted.application.service import IService

from lars.agent.service import AgentService
from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.udp_port import refuse_taken
from lars.agent.workers.supervisor import WorkersService
from lars.agent.workers.worker import WORKER, ParentWatch
from lars.route import HostAddress
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import monotonic_reactor
from lars.settings import ServiceOptions
from lars.settings.sources import option_name


class Options(ServiceOptions):
    """Answers the business processes of this machine: which host to call."""

    settings_type = AgentSettings


def makeService(options: Options) -> IService:
    """Makes lars-agent: all of it, the supervisor of its workers, or one worker that the supervisor has started."""
    reactor = monotonic_reactor()
    settings: AgentSettings = options.settings
    worker = os.environ.get(WORKER)
    if worker is not None:
        ParentWatch(reactor)
        with ended_by_errors("lars-agent"):
            return AgentService(settings, reactor, shards=[int(worker)])
    with ended_by_errors("lars-agent"):
        for number in range(SHARDS):
            refuse_taken(HostAddress(settings.listen.ip, settings.listen.port + number))
        require_free(reactor, settings.metrics)
        if settings.workers == 1:
            return AgentService(settings, reactor)
    paths = ("state_dir", "token_file", "tls_cert", "tls_key", "tls_ca")  # which are absolute by now
    same = [*options.again(), *(f"--{option_name(name)}={getattr(settings, name)}" for name in paths)]
    return WorkersService(settings, same, os.environ, reactor)
