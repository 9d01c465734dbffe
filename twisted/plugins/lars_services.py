"""What twistd can launch of Lars."""

from twisted.application.service import ServiceMaker

LarsDns = ServiceMaker("Lars DNS", "lars.dns.tap", "maps modules to routes", "lars-dns")
LarsAgent = ServiceMaker("Lars agent", "lars.agent.tap", "answers which host to call", "lars-agent")
LarsReporter = ServiceMaker("Lars reporter", "lars.reporter.tap", "collects call counts", "lars-reporter")
LarsWeb = ServiceMaker("Lars web", "lars.web.tap", "the console and its JSON API", "lars-web")
LarsGateway = ServiceMaker("Lars gateway", "lars.gateway.tap", "answers by HTTP and DNS", "lars-gateway")
LarsStack = ServiceMaker("Lars stack", "lars.stack.tap", "all of Lars in one process", "lars")
