"""`twistd lars-agent`."""

from twisted.application.service import IService

from lars.agent.service import AgentService
from lars.agent.settings import AgentSettings
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Tells the business processes of this machine which host to call."""

    settings_type = AgentSettings


def makeService(options: Options) -> IService:
    """lars-agent on the reactor that twistd runs."""
    from twisted.internet import reactor

    return AgentService(options.settings, reactor)
