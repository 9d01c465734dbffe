"""Static files: cached for good at an address that changes with their content."""

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from lars.web.static_files import StaticFiles


class StaticFilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.files = StaticFiles()

    def ask(self, name: str, method: bytes = b"GET") -> tuple[DummyRequest, bytes]:
        request = DummyRequest([name.encode()])
        request.method = method
        return request, self.files.render(cast(Any, request))

    def test_file_is_cached_at_an_address_of_its_content(self) -> None:
        self.assertRegex(self.files.address("lars.css"), r"^/static/lars\.css\?[0-9a-f]{10}$")
        request, body = self.ask("lars.css")
        self.assertIn(b"data-state", body)
        self.assertEqual(request.responseHeaders.getRawHeaders(b"content-type"), [b"text/css; charset=utf-8"])
        [cached] = request.responseHeaders.getRawHeaders(b"cache-control", [])
        self.assertIn(b"immutable", cached)

    def test_head_has_the_length_and_no_body(self) -> None:
        _request, whole = self.ask("lars.js")
        request, body = self.ask("lars.js", b"HEAD")
        self.assertEqual(body, b"")
        self.assertEqual(request.responseHeaders.getRawHeaders(b"content-length"), [b"%d" % len(whole)])

    def test_unknown_files_and_methods_are_refused(self) -> None:
        for name in ("../settings.py", "none.css", ""):
            self.assertEqual(self.ask(name)[0].responseCode, 404)
            self.assertRaises(KeyError, self.files.address, name)
        self.assertEqual(self.ask("lars.js", b"POST")[0].responseCode, 405)
