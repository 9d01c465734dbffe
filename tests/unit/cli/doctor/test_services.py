"""The services of a folder, and where they are reached from this machine."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import Server
from lars.cli.doctor.services import services_in, tcp_place


class ServicesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def write(self, name: str, text: str) -> str:
        path = self.folder / f"lars-{name}.conf"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_services_are_those_with_a_conf_file(self) -> None:
        self.write("agent", "")
        self.write("dns", "[dns]\nmetrics = tcp:9101:interface=127.0.0.1\n")
        found, findings = services_in(self.folder)
        self.assertEqual(([service.name for service in found], findings), (["lars-dns", "lars-agent"], []))
        self.assertEqual((found[0].metrics, found[1].metrics), (Server("127.0.0.1", 9101), None))

    def test_conf_file_that_cannot_be_used_is_a_finding_that_names_it(self) -> None:
        path = self.write("web", "[web]\nlistn = tcp:7780\n")
        found, [finding] = services_in(self.folder)
        self.assertEqual((found, finding.check, finding.advice), ([], "settings", f"correct {path}"))
        self.assertIn("did you mean [web] listen?", finding.what)

    def test_conf_file_is_a_secret_only_with_the_password_in_it(self) -> None:
        path = self.write("dns", "[database]\nurl = mysql://lars:secret@db/lars_dns\n")
        cpp = self.write("reporter", "[mysql]\ndb_host = db\ndb_passwd = secret\n")
        token = self.folder / "token"
        token.write_text("x" * 32, encoding="utf-8")
        self.write("agent", f"[agent]\ntoken_file = {token}\n")
        [dns, reporter, agent], _findings = services_in(self.folder)
        self.assertEqual((dns.secrets, reporter.secrets, agent.secrets), ([path], [cpp], [str(token)]))

    def test_every_address_is_one_to_connect_to(self) -> None:
        for endpoint, place in (
            ("tcp:7778", Server("127.0.0.1", 7778)),
            ("tcp:7778:interface=0.0.0.0", Server("127.0.0.1", 7778)),
            ("tcp:port=7778:interface=10.0.0.5", Server("10.0.0.5", 7778)),
            (r"tcp:7778:interface=\:\:", Server("::1", 7778)),
            (r"ssl:7780:interface=fd00\:\:5:privateKey=k.pem", Server("fd00::5", 7780)),
            ("unix:/run/lars/x.sock", None),
            ("", None),
        ):
            self.assertEqual(tcp_place(endpoint), place, endpoint)
