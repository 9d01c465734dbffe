"""How a conf names a webhook, and that no error shows a secret."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.reporter.alarms.rules import AlarmRule, parse_rule

URL = "https://alarms.example/hook?key=k"
BASIC = ("Authorization", "Basic YW5uOnNlY3JldA==")


class WebhookTargetTests(SynchronousTestCase):
    def rule(self, **keys: str) -> AlarmRule:
        return parse_rule("x", {"what": "err_rate", **keys})

    def file(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def refused(self, **keys: str) -> str:
        text = str(self.assertRaises(SettingsError, self.rule, **keys))
        self.assertNotIn("secret", text)
        return text

    def test_user_and_password_of_the_url_become_a_header(self) -> None:
        rule = self.rule(webhook="https://ann:secret@alarms.example:8443/hook")
        self.assertEqual((rule.webhook, rule.headers), ("https://alarms.example:8443/hook", (BASIC,)))
        self.assertNotIn("secret", repr(rule))
        [(_name, value)] = self.rule(webhook="http://a%40b:p%3A%2F@h/").headers
        self.assertEqual(value, "Basic YUBiOnA6Lw==")

    def test_secrets_come_from_files(self) -> None:
        rule = self.rule(
            webhook_file=self.file(f"{URL}\n"),
            webhook_credentials_file=self.file("ann:secret\n"),
            webhook_header="X-Team: shop",
            webhook_headers_file=self.file("# tokens\nX-Token: abc def\n\nX-Other:1\n"),
        )
        headers = (("X-Team", "shop"), ("X-Token", "abc def"), ("X-Other", "1"), BASIC)
        self.assertEqual((rule.webhook, rule.headers), (URL, headers))

    def test_what_cannot_be_used_is_named_without_its_content(self) -> None:
        for expected, keys in (
            ("webhook_file: what '", {"webhook_file": self.file("ftp://secret/")}),
            ("webhook_file: cannot read '/no/such': No such file or directory", {"webhook_file": "/no/such"}),
            ("does not hold one line as user:password", {"webhook_credentials_file": self.file("secret")}),
            ("a line of '", {"webhook_headers_file": self.file("X-Token secret")}),
            ("is not a header: write it as Name: value", {"webhook_header": "X Y: secret"}),
            ("Host is set by lars-reporter: leave it out", {"webhook_header": "Host: secret"}),
            ("webhook: is missing, although headers", {"webhook_header": "X-A: secret"}),
            ("webhook_file names the URL too", {"webhook": URL, "webhook_file": self.file(URL)}),
            (
                "the header Authorization is set twice",
                {"webhook": "http://ann:secret@h/", "webhook_header": "authorization: Bearer secret"},
            ),
        ):
            self.assertIn(expected, self.refused(**keys))
