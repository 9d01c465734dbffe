"""Files of saved routes: what is saved is what is loaded, and a damaged file is renamed."""

import contextlib
import json
import os
import resource
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.route import HostAddress, ModuleId, Steering
from lars.saved_routes import (
    DamagedFile,
    SavedRoutes,
    decode_routes,
    encode_routes,
    index_routes,
    load_routes,
    remove_leftovers,
    routes_path,
    save_routes,
)

modules = st.builds(ModuleId, st.integers(1, 2**31 - 1), st.integers(0, 2**31 - 1))
A, B = HostAddress(1, 80), HostAddress(2, 80)
M, N, PLAIN = ModuleId(1, 1), ModuleId(1, 2), ModuleId(1, 3)

hosts = st.lists(st.builds(HostAddress, st.integers(1, 2**32 - 1), st.integers(1, 65535)))


class SavedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = routes_path(self.mktemp(), 1)

    @given(st.dictionaries(modules, hosts))
    def test_what_is_encoded_decodes_to_the_same(self, routes: dict[ModuleId, list[HostAddress]]) -> None:
        self.assertEqual(decode_routes(encode_routes(routes)), SavedRoutes(routes))

    def test_what_was_set_for_a_route_is_kept(self) -> None:
        routes = {M: [A, B], N: [A, B], PLAIN: [A]}
        steering = {M: Steering({A: 0, B: 50}, {A: "eu-1"}, '{"panic":false}'), N: Steering({A: 0, B: 0})}
        saved = decode_routes(encode_routes(routes, steering))
        self.assertEqual(saved.steering, steering)
        self.assertEqual({module: sorted(hosts) for module, hosts in saved.hosts.items()}, routes)

    def test_readers_of_earlier_versions_find_their_format_without_drained_hosts(self) -> None:
        content = json.loads(encode_routes({M: [A, B], N: [A]}, {M: Steering({A: 0}, {B: "b"}), N: Steering({A: 0})}))
        self.assertEqual(content["format"], 1)
        self.assertEqual([item["hosts"] for item in content["routes"]], [[str(B)], [str(A)]])
        data = encode_routes({M: [A, B]}, {M: Steering({A: 0})})
        self.assertEqual(index_routes(data), {M: [str(B)]})

    def test_a_file_of_an_earlier_version_is_read(self) -> None:
        data = b'{"format":1,"routes":[{"modid":1,"cmdid":1,"hosts":["0.0.0.1:80","0.0.0.2:80"]}]}'
        self.assertEqual(decode_routes(data), SavedRoutes({M: [A, B]}))

    def test_records_that_no_host_can_have_are_damage(self) -> None:
        for extra in (
            '"weights":{"0.0.0.1:80":1001}',
            '"zones":{"0.0.0.1:80":"a b"}',
            '"weights":7',
            '"drained":["x"]',
        ):
            text = f'{{"format":1,"routes":[{{"modid":1,"cmdid":1,"hosts":["0.0.0.1:80"],{extra}}}]}}'
            with self.assertRaises(DamagedFile):
                decode_routes(text.encode())

    @given(st.binary())
    def test_no_bytes_raise_anything_but_damaged_file(self, data: bytes) -> None:
        with contextlib.suppress(DamagedFile):
            decode_routes(data)

    def test_saved_file_is_named_by_shard_and_readable_by_all(self) -> None:
        os.umask(os.umask(0o077))
        save_routes(self.path, b"{}")
        self.assertEqual(self.path.name, "routes.1.json")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o644)
        self.assertEqual(os.listdir(self.path.parent), ["routes.1.json"])

    def test_folder_is_open_to_clients_whatever_the_umask(self) -> None:
        self.addCleanup(os.umask, os.umask(0o077))
        folder = Path(self.mktemp(), "lib", "lars")
        save_routes(routes_path(str(folder), 1), b"{}")
        self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)], [0o755, 0o755])

    def test_disk_that_is_full_leaves_the_old_file_and_nothing_else(self) -> None:
        save_routes(self.path, b"{}")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        with self.assertRaises(OSError):
            save_routes(self.path, bytes(20_000))
        self.assertEqual(os.listdir(self.path.parent), ["routes.1.json"])
        self.assertEqual(self.path.read_bytes(), b"{}")

    def test_unfinished_files_of_this_shard_are_removed(self) -> None:
        save_routes(self.path, b"{}")
        for name in ("routes.1.new", "routes.1.new123", "routes.2.new"):
            (self.path.parent / name).touch()
        remove_leftovers(self.path)
        self.assertEqual(sorted(os.listdir(self.path.parent)), ["routes.1.json", "routes.2.new"])

    def test_no_file_is_no_routes(self) -> None:
        self.assertEqual(load_routes(self.path), SavedRoutes())

    def test_damaged_file_is_renamed_and_named(self) -> None:
        save_routes(self.path, b'{"format":1,"routes":[{"modid":1')
        with self.assertRaisesRegex(DamagedFile, "routes.1.json is damaged"):
            load_routes(self.path)
        self.assertEqual(load_routes(self.path), SavedRoutes())
        self.assertTrue(Path(self.path.with_suffix(".damaged")).exists())

    def test_number_without_end_is_damage(self) -> None:
        with self.assertRaises(DamagedFile):
            decode_routes(b'{"format": 1, "routes": [{"modid": 1e999, "cmdid": 1, "hosts": []}]}')

    def test_other_format_is_not_read(self) -> None:
        with self.assertRaisesRegex(DamagedFile, "format 2"):
            decode_routes(b'{"format": 2, "routes": []}')
