"""Reports and discovery requests, and what is none of them."""

from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.http.bodies import MAX_REPORTS, BadRequest, Report, named_module, read_discovery, read_reports
from lars.route import ModuleId
from tests.unit.gateway.routes import address

URL = "type.googleapis.com/a.B"


class ReportsTests(SynchronousTestCase):
    def test_one_or_many(self) -> None:
        one = Report(address("10.0.0.5:80"), 0, None)
        self.assertEqual(read_reports(b'{"host": "10.0.0.5:80"}'), [one])
        two = b'[{"host": "10.0.0.5:80"}, {"host": "10.0.0.6:80", "retcode": -1, "cost": 2}]'
        self.assertEqual(read_reports(two), [one, Report(address("10.0.0.6:80"), -1, 2.0)])
        self.assertEqual(read_reports(b"[]"), [])
        [written_as_a_float] = read_reports(b'{"host": "10.0.0.5:80", "retcode": 1.0}')
        self.assertEqual(written_as_a_float.retcode, 1)

    def test_what_is_wrong_is_said(self) -> None:
        for body, text in (
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b"\xff\xfe{", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b'{"host": "10.0.0.5:80", "cost": NaN}', "not JSON"),
            (b"7", "write a report as"),
            (b"[[]]", "report 0: write a report as"),
            (b"{}", "host is missing"),
            (b'{"host": 7}', "host is missing"),
            (b'{"host": "10.0.0.5"}', "'10.0.0.5' is not a host"),
            (b'[{"host": "10.0.0.5:80"}, {"host": "10.0.0.5:0"}]', "report 1: '0' is not a port"),
            (b'{"host": "10.0.0.5:80", "code": 1}', "'code' is not a member"),
            (b'{"host": "10.0.0.5:80", "retcode": "1"}', "retcode '1' cannot be used"),
            (b'{"host": "10.0.0.5:80", "retcode": true}', "retcode True cannot be used"),
            (b'{"host": "10.0.0.5:80", "retcode": 1.5}', "retcode 1.5 cannot be used"),
            (b'{"host": "10.0.0.5:80", "retcode": 99999999999}', "retcode 99999999999 cannot be used"),
            (b'{"host": "10.0.0.5:80", "cost": -1}', "cost -1 cannot be used"),
            (b'{"host": "10.0.0.5:80", "cost": 1e999}', "cost inf cannot be used"),
            (b"[" + b",".join([b"{}"] * (MAX_REPORTS + 1)) + b"]", "10001 reports are too many"),
        ):
            with self.subTest(text):
                raised = self.assertRaises(BadRequest, read_reports, body)
                self.assertIn(text, str(raised))


class DiscoveryTests(SynchronousTestCase):
    def test_names_in_either_case(self) -> None:
        snake = read_discovery(b'{"resource_names": ["1.2", "lars/1/2"], "version_info": "x"}', URL)
        self.assertEqual(snake.modules, {"1.2": ModuleId(1, 2), "lars/1/2": ModuleId(1, 2)})
        self.assertEqual(snake.version_info, "x")
        camel = read_discovery(b'{"resourceNames": ["1.2"], "typeUrl": "%s"}' % URL.encode(), URL)
        self.assertEqual((dict(camel.modules), camel.version_info), ({"1.2": ModuleId(1, 2)}, ""))

    def test_what_is_wrong_is_said(self) -> None:
        for body, text in (
            (b"[]", "not a DiscoveryRequest"),
            (b'{"resource_names": "1.1"}', "not a list of strings"),
            (b'{"resource_names": [1]}', "not a list of strings"),
            (b'{"resource_names": ["payments"]}', "'payments' is not a module"),
            (b'{"type_url": "type.googleapis.com/other"}', "is not served here"),
        ):
            with self.subTest(text):
                self.assertIn(text, str(self.assertRaises(BadRequest, read_discovery, body, URL)))

    def test_names_that_are_no_module(self) -> None:
        for name in ("", "1", "1.2.3", "a.b", "lars/1", "1/2", "-1.2", "0.0", "2147483648.1", "\u0661.1"):
            with self.subTest(name):
                self.assertRaises(BadRequest, named_module, name)
