"""The stack's own settings have the defaults of the services, but for where the agent saves its routes."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import AgentSettings
from lars.dns.settings import DnsSettings
from lars.gateway.settings import GatewaySettings
from lars.reporter.settings import ReporterSettings
from lars.stack.settings import StackSettings
from lars.web.settings import WebSettings


class StackSettingsTests(SynchronousTestCase):
    def test_places_are_those_of_the_services(self) -> None:
        stack = StackSettings()
        services = (DnsSettings().listen, ReporterSettings().listen, AgentSettings().listen, WebSettings().listen)
        self.assertEqual((stack.dns_listen, stack.reporter_listen, stack.agent_listen, stack.web_listen), services)
        gateway = GatewaySettings()
        self.assertEqual((stack.gateway_listen, stack.gateway_dns), (gateway.listen, gateway.dns))

    def test_routes_are_saved_in_the_folder_that_it_runs_in(self) -> None:
        self.assertEqual(StackSettings().state_dir, "lars-state")
