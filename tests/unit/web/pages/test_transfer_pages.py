"""What the form of an import holds between its preview and its confirmation."""

import base64
import zlib

from twisted.trial.unittest import SynchronousTestCase

from lars.route import ModuleId, parse_host
from lars.web.pages.transfer_pages import MOST, BadPreview, packed, unpacked

A, B = parse_host("10.0.0.1:80"), parse_host("10.0.0.2:80")
ROUTES = {ModuleId(1, 1): frozenset([A, B]), ModuleId(0, 2): frozenset([A])}


class PackedTests(SynchronousTestCase):
    def test_routes_are_unpacked_as_they_were_packed(self) -> None:
        self.assertEqual(unpacked(packed(ROUTES)), ROUTES)
        self.assertRegex(packed(ROUTES), r"^[\w=-]+$")

    def test_other_texts_are_refused(self) -> None:
        whole = packed(ROUTES)
        bomb = base64.urlsafe_b64encode(zlib.compress(b"modid,cmdid,ip,port\n" + b"\n" * MOST)).decode()
        text = base64.urlsafe_b64encode(zlib.compress(b"1,1,nowhere,80")).decode()
        for field in ("", "支付", whole[:-8], whole[:20] + "*" + whole[21:], "A" * 40, bomb, text):
            self.assertRaises(BadPreview, unpacked, field)
