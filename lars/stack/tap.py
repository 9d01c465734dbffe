"""`twistd -n lars`: all services in one process."""

import os
from dataclasses import replace

from twisted.application.service import IService
from twisted.python import usage

from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.udp_port import refuse_taken
from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.dns.settings import DnsSettings
from lars.errors import SettingsError
from lars.gateway.settings import GatewaySettings
from lars.gateway.tap import require_gateway_free
from lars.reporter.settings import ReporterSettings
from lars.route import HostAddress
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import monotonic_reactor
from lars.settings import ServiceOptions, resolve
from lars.stack.service import StackService, agent_of
from lars.stack.settings import StackSettings
from lars.web.settings import WebSettings


class Options(ServiceOptions):
    """All of Lars in one process."""

    settings_type = StackSettings

    def postOptions(self) -> None:
        super().postOptions()
        stack: StackSettings = self.settings
        try:
            self.dns = replace(
                resolve(DnsSettings, conf=stack.dns_config, environ=os.environ), db=stack.db, listen=stack.dns_listen
            )
            self.reporter = replace(
                resolve(ReporterSettings, conf=stack.reporter_config, environ=os.environ),
                db=stack.db,
                listen=stack.reporter_listen,
            )
            self.agent = replace(
                resolve(AgentSettings, conf=stack.agent_config, environ=os.environ),
                listen=stack.agent_listen,
                state_dir=stack.state_dir,
            )
            self.web = replace(
                resolve(WebSettings, conf=stack.web_config, environ=os.environ), db=stack.db, listen=stack.web_listen
            )
            self.gateway = replace(
                resolve(GatewaySettings, conf=stack.gateway_config, environ=os.environ),
                agent=agent_of(stack.agent_listen),
                listen=stack.gateway_listen,
                dns=stack.gateway_dns,
            )
        except SettingsError as error:
            raise usage.UsageError(str(error)) from None


def makeService(options: Options) -> IService:
    """The stack on the reactor that twistd runs."""
    reactor = monotonic_reactor()
    with ended_by_errors("lars"):
        for part in (options.dns, options.reporter, options.web):
            require_free(reactor, part.listen, part.metrics)
        for number in range(SHARDS):
            refuse_taken(HostAddress(options.agent.listen.ip, options.agent.listen.port + number))
        require_free(reactor, options.agent.metrics)
        if options.gateway.listen:
            require_gateway_free(reactor, options.gateway)
    url = parse_url(options.settings.db)

    def database(threads: int) -> Database:
        return Database(engine_for(url), reactor, threads)

    return StackService(options.dns, options.reporter, options.agent, options.web, options.gateway, database, reactor)
