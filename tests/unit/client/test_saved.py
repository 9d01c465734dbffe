"""The agent's saved routes, read by a client."""

from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.client.saved import RECHECK, SavedFile
from lars.route import HostAddress, ModuleId, parse_host
from lars.saved_routes import encode_routes, routes_path

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
MODULE, OTHER = ModuleId(1, 1), ModuleId(1, 4)


class SavedFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.saved = SavedFile(str(self.folder), 2)

    def write(self, data: bytes) -> None:
        """Replaces the file, as the agent does."""
        new = self.folder / "new"
        new.write_bytes(data)
        new.rename(routes_path(str(self.folder), 2))

    def save(self, *hosts: HostAddress) -> None:
        self.write(encode_routes({MODULE: hosts}))

    def route(self, now: float, module: ModuleId = MODULE) -> list[HostAddress]:
        return [host.address for host in self.saved.route(module, now)]

    def test_route_is_that_of_the_file(self) -> None:
        self.save(A, B)
        self.assertEqual(self.route(0.0), [A, B])
        self.assertEqual(self.route(0.0, OTHER), [])

    def test_file_is_read_in_the_folder_that_it_moves_to(self) -> None:
        self.save(A)
        self.assertEqual(self.route(0.0), [A])
        elsewhere = Path(self.mktemp())
        elsewhere.mkdir()
        routes_path(str(elsewhere), 2).write_bytes(encode_routes({MODULE: [B]}))
        self.saved.move(str(elsewhere))
        self.assertEqual(self.route(0.1), [B])

    def test_picks_take_turns(self) -> None:
        self.save(A, B, C)
        picked = Counter(self.saved.pick(MODULE, 0.0) for _ in range(30))
        self.assertEqual({host.address: n for host, n in picked.items() if host}, {A: 10, B: 10, C: 10})

    def test_module_that_was_not_saved_has_no_pick(self) -> None:
        self.save(A)
        self.assertIsNone(self.saved.pick(OTHER, 0.0))

    def test_new_file_is_read_after_the_recheck_interval(self) -> None:
        self.save(A)
        self.assertEqual(self.route(0.0), [A])
        self.save(B, C)
        self.assertEqual(self.route(RECHECK / 2), [A])
        self.assertEqual(self.route(RECHECK), [B, C])
        self.assertIn(self.saved.pick(MODULE, RECHECK), self.saved.route(MODULE, RECHECK))

    def test_missing_or_damaged_file_has_no_routes(self) -> None:
        self.assertEqual(self.route(0.0), [])
        for number, damaged in enumerate(
            (b"", b"{", b'{"format": 2, "routes": []}', b'{"format": 1, "routes": [{"modid": 1}]}'), 1
        ):
            self.write(damaged)
            self.assertEqual(self.route(number * RECHECK), [], damaged)

    def test_module_with_a_damaged_host_has_no_route(self) -> None:
        self.write(b'{"format": 1, "routes": [{"modid": 1, "cmdid": 1, "hosts": ["10.0.0.1:80", "x"]}]}')
        self.assertEqual(self.route(0.0), [])

    def test_child_of_a_fork_keeps_the_routes(self) -> None:
        self.save(A)
        self.saved.pick(MODULE, 0.0)
        self.saved.forked()
        self.assertEqual(str(self.saved.pick(MODULE, 0.0)), "10.0.0.1:80")
