"""Certificates from files: which are used, when they end, and what becomes of them when the files change."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.certificates import KeyPair, new_ca, new_certificate
from lars.runtime.tls import DAY, Tls, TlsFiles, TlsFilesError, tls_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class TlsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = NOW.timestamp()
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.files = TlsFiles(*(str(self.folder / name) for name in ("cert", "key", "ca")))
        self.ca = new_ca(NOW)
        self.write(self.certificate(days=100))

    def certificate(self, days: int) -> KeyPair:
        return new_certificate(self.ca, "s", ["127.0.0.1"], NOW, days)

    def write(self, pair: KeyPair) -> None:
        Path(self.files.cert).write_bytes(pair.certificate_pem)
        Path(self.files.key).write_bytes(pair.key_pem)
        Path(self.files.ca).write_bytes(self.ca.certificate_pem)

    def tls(self) -> Tls:
        return Tls(self.files, self.clock, lambda: self.now)


class FilesTests(TlsCase):
    def test_renewed_certificate_is_used_for_new_connections(self) -> None:
        tls = self.tls()
        context = tls.context
        tls.reload()
        self.assertIs(tls.context, context, "nothing has changed")
        self.write(self.certificate(days=200))
        tls.reload()
        self.assertIsNot(tls.context, context)
        self.assertEqual(tls.seconds_left()["tls_cert"], 200 * DAY)

    def test_half_written_files_leave_what_was_read_and_are_one_line_until_they_are_whole(self) -> None:
        tls = self.tls()
        context = tls.context
        renewed = self.certificate(days=200)
        Path(self.files.key).write_bytes(renewed.key_pem)
        with capturedLogs() as events:
            for _ in range(3):
                tls.reload()
        self.assertEqual((tls.context, len(events)), (context, 1))
        self.assertIn("is the key of another certificate than tls_cert", str(events[0]["error"]))
        self.write(renewed)
        tls.reload()
        self.assertIsNot(tls.context, context)

    def test_all_three_or_none(self) -> None:
        self.assertIsNone(tls_of(TlsFiles("", "", ""), self.clock, lambda: self.now))
        for missing in range(3):
            some = TlsFiles(*("" if n == missing else path for n, path in enumerate(self.files)))
            with self.assertRaisesRegex(TlsFilesError, "belong together"):
                tls_of(some, self.clock, lambda: self.now)

    def test_file_that_is_no_certificate_or_key_is_named(self) -> None:
        for name, problem in (("cert", "is no certificate in PEM"), ("key", "is no private key"), ("ca", "is no cert")):
            path = self.folder / name
            before = path.read_bytes()
            path.write_bytes(b"nothing\n")
            with self.assertRaisesRegex(TlsFilesError, f"{path}: {problem}"):
                self.tls()
            path.write_bytes(before)

    def test_old_versions_of_tls_are_refused(self) -> None:
        for version, worked in ((SSL.TLS1_1_VERSION, False), (SSL.TLS1_2_VERSION, True), (SSL.TLS1_3_VERSION, True)):
            self.assertEqual(self.shakes_hands(version), worked, version)

    def shakes_hands(self, version: int) -> bool:
        """Whether a client of this version, with a certificate of the CA, is served."""
        agent = new_certificate(self.ca, "a", (), datetime.now(UTC) - timedelta(days=1))
        client_context = SSL.Context(SSL.TLS_METHOD)
        client_context.set_max_proto_version(version)
        client_context.use_certificate(agent.certificate)
        client_context.use_privatekey(agent.key)
        client, server = SSL.Connection(client_context, None), SSL.Connection(self.tls().context, None)
        client.set_connect_state()
        server.set_accept_state()
        for _ in range(4):
            for one, other in ((client, server), (server, client)):
                try:
                    one.do_handshake()
                except SSL.WantReadError:
                    pass
                except SSL.Error:
                    return False
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(one.bio_read(65536))
        return server.get_cipher_name() is not None


class EndTests(TlsCase):
    def test_seconds_left_are_those_of_certificate_and_ca(self) -> None:
        self.assertEqual(self.tls().seconds_left(), {"tls_cert": 100 * DAY, "tls_ca": 3650 * DAY})

    def test_certificate_that_has_ended_is_a_fault(self) -> None:
        tls = self.tls()
        self.now += 100 * DAY - 1
        self.assertEqual(tls.fault(), "")
        self.now += 1
        self.assertEqual(tls.fault(), "the certificate of tls_cert expired at 2026-04-11 00:00 UTC")

    def test_end_is_warned_of_once_a_day_from_two_weeks_before(self) -> None:
        tls = self.tls()
        with capturedLogs() as events:
            for _ in range(100):
                self.clock.advance(DAY)
                self.now += DAY
                for _ in range(10):
                    tls.reload()
        lines = [event["log_format"].format(**event) for event in events]
        self.assertEqual(len(lines), 14)
        self.assertIn(
            f"the certificate of tls_cert, {self.files.cert}, ends at 2026-04-11 00:00 UTC: renew it", lines[0]
        )
