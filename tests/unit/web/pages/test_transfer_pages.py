"""What the form of an import holds between its preview and its confirmation."""

import base64
import zlib

from twisted.trial.unittest import SynchronousTestCase

from lars.host_record import KEEP, HostChange
from lars.route import ModuleId, parse_host
from lars.route_formats import Routes
from lars.web.pages.transfer_pages import MOST, BadPreview, packed, unpacked

A, B = parse_host("10.0.0.1:80"), parse_host("10.0.0.2:80")
ROUTES: Routes = {ModuleId(1, 1): {A: KEEP, B: KEEP}, ModuleId(0, 2): {A: KEEP}}
RICH: Routes = {ModuleId(1, 1): {A: HostChange(weight=0, zone="", tags=("x",)), B: KEEP}, ModuleId(0, 2): {A: KEEP}}


class PackedTests(SynchronousTestCase):
    def test_routes_are_unpacked_as_they_were_packed(self) -> None:
        for routes in (ROUTES, RICH):
            self.assertEqual(unpacked(packed(routes)), routes)
            self.assertRegex(packed(routes), r"^[\w=-]+$")

    def test_other_texts_are_refused(self) -> None:
        whole = packed(ROUTES)
        bomb = base64.urlsafe_b64encode(zlib.compress(b"modid,cmdid,ip,port\n" + b"\n" * MOST)).decode()
        text = base64.urlsafe_b64encode(zlib.compress(b"1,1,nowhere,80")).decode()
        for field in ("", "支付", whole[:-8], whole[:20] + "*" + whole[21:], "A" * 40, bomb, text):
            self.assertRaises(BadPreview, unpacked, field)
