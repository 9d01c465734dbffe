"""`twistd lars-agent`."""

import os

from twisted.application.service import IService

from lars.agent.service import AgentService
from lars.agent.settings import AgentSettings
from lars.agent.workers import WORKER, ParentWatch, WorkersService
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Tells the business processes of this machine which host to call."""

    settings_type = AgentSettings


def makeService(options: Options) -> IService:
    """lars-agent on the reactor that twistd runs: all of it, its supervisor, or the worker that that one started."""
    from twisted.internet import reactor

    settings: AgentSettings = options.settings
    worker = os.environ.get(WORKER)
    if worker is not None:
        ParentWatch(reactor)
        return AgentService(settings, reactor, shards=[int(worker)])
    if settings.workers == 1:
        return AgentService(settings, reactor)
    same = [*options.again(), f"--state-dir={settings.state_dir}"]
    return WorkersService(settings, same, os.environ, reactor)
