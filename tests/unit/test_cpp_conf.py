"""The conf files of the C++ programs load unchanged, each by the service that takes its place."""

from pathlib import Path
from typing import TypeVar

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import AgentSettings, Server
from lars.balancing.classic import ClassicSettings
from lars.db.url import MysqlUrl, parse_url
from lars.dns.settings import DnsSettings
from lars.reporter.settings import ReporterSettings
from lars.settings import resolve

T = TypeVar("T")

REACTOR_AND_MYSQL = """\
[reactor]
maxConn = 1024
threadNum = 5
ip = 10.1.2.3
port = 7781

[mysql]
db_host = db.example
db_port = 3307
db_user = root
db_passwd = 100%s@/:?# done
db_name = lars_dns
"""

REPORTER = f"{REACTOR_AND_MYSQL}\n[repoter]\ndb_thread_cnt = 4\n"

AGENT = """\
[reporter]
ip = 10.0.0.1
port = 7780
[dnsserver]
ip = 10.0.0.2
port = 7777

[loadbalance]
;经过若干次获取请求后 试探选择一次overload节点
probe_num=11
init_succ_cnt=181
init_err_cnt=6
err_rate=0.2
succ_rate=0.6
contin_err_limit=16
contin_succ_limit=17
window_err_rate=0.8
idle_timeout=18
overload_timeout=19
update_timeout=20
"""

DATABASE = MysqlUrl("db.example", 3307, "root", "100%s@/:?# done", "lars_dns")


class CppConfTests(SynchronousTestCase):
    def load(self, settings_type: type[T], text: str) -> T:
        path = Path(self.mktemp())
        path.write_text(text, encoding="utf-8")
        return resolve(settings_type, conf=str(path))

    def test_dns(self) -> None:
        settings = self.load(DnsSettings, REACTOR_AND_MYSQL)
        self.assertEqual((settings.listen, settings.max_connections), ("tcp:7781:interface=10.1.2.3", 1024))
        self.assertEqual(parse_url(settings.db), DATABASE)

    def test_reporter(self) -> None:
        settings = self.load(ReporterSettings, REPORTER)
        self.assertEqual((settings.listen, settings.max_connections), ("tcp:7781:interface=10.1.2.3", 1024))
        self.assertEqual(settings.db_thread_cnt, 4)
        self.assertEqual(parse_url(settings.db), DATABASE)

    def test_reporter_with_its_section_spelled_right(self) -> None:
        self.assertEqual(self.load(ReporterSettings, "[reporter]\ndb_thread_cnt = 5\n").db_thread_cnt, 5)

    def test_agent(self) -> None:
        settings = self.load(AgentSettings, AGENT)
        self.assertEqual(settings.dns, (Server("10.0.0.2", 7777),))
        self.assertEqual(settings.reporter, (Server("10.0.0.1", 7780),))
        self.assertEqual(settings.update_timeout, 20)
        self.assertEqual((settings.default_policy, settings.module_policies), ("classic", ()))
        self.assertEqual((settings.classic_key, settings.without_effect), ("probe_num", []))
        self.assertEqual(settings.classic, ClassicSettings(11, 181, 6, 0.2, 0.6, 16, 17, 0.8, 18, 19))

    def test_each_key_may_be_missing(self) -> None:
        lines = REACTOR_AND_MYSQL.splitlines(keepends=True)
        for i in range(len(lines)):
            if "=" in lines[i]:
                self.load(DnsSettings, "".join(lines[:i] + lines[i + 1 :]))

    def test_what_is_missing_has_the_cpp_default(self) -> None:
        settings = self.load(DnsSettings, "[reactor]\nip = 10.1.2.3\n[mysql]\ndb_passwd = x\n")
        self.assertEqual(settings.listen, "tcp:7778:interface=10.1.2.3")
        self.assertEqual(parse_url(settings.db), MysqlUrl("127.0.0.1", 3306, "root", "x", "lars_dns"))
