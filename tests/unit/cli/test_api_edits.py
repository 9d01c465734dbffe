"""Edits as requests, and answers as what they changed."""

import json

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.api_edits import done_of, joined, record_of, request_of
from lars.db.routes import EditDone, RouteEdit
from lars.host_record import HostRecord
from lars.route import ModuleId, parse_host

M = ModuleId(1, 2)
A, B = (parse_host(f"10.0.0.{n}:80") for n in (1, 2))


def answer(version: int, **changed: list[str]) -> EditDone:
    entry = {"modid": 1, "cmdid": 2, "added": [], "removed": [], "altered": [], "settings": False, **changed}
    return done_of(json.dumps({"version": version, "changed": [entry]}).encode())


class ApiEditsTests(SynchronousTestCase):
    def test_edit_is_one_request(self) -> None:
        request = request_of(RouteEdit(M, frozenset({B, A}), frozenset({B})))
        self.assertEqual((request.method, request.path), ("POST", "/modules/1/2/hosts"))
        self.assertEqual(
            json.loads(request.body or b""), {"add": ["10.0.0.1:80", "10.0.0.2:80"], "remove": ["10.0.0.2:80"]}
        )
        emptied = request_of(RouteEdit(M, replace=True))
        self.assertEqual((emptied.method, emptied.path, emptied.body), ("DELETE", "/modules/1/2", None))

    def test_answer_says_what_changed(self) -> None:
        done = answer(7, added=[str(A)], removed=[str(B)], altered=["10.0.0.3:80"])
        [changed] = done.changed
        self.assertEqual((done.version, changed.module, changed.added, changed.removed), (7, M, [A], [B]))
        self.assertEqual([host for host, _old, _new in changed.altered], [parse_host("10.0.0.3:80")])

    def test_edits_one_after_another_are_joined_by_module(self) -> None:
        done = joined([answer(7, altered=[str(A)]), EditDone(7, ()), answer(9, altered=[str(B)])])
        [changed] = done.changed
        self.assertEqual((done.version, [host for host, _old, _new in changed.altered]), (9, [A, B]))
        self.assertEqual(joined([]), EditDone(0, ()))

    def test_host_of_the_api_is_a_record(self) -> None:
        host = {"weight": 50, "zone": "b", "tags": ["x"], "note": "n", "drain": None}
        self.assertEqual(record_of(host), HostRecord(50, "b", ("x",), "n"))
