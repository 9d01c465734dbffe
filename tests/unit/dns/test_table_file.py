"""The saved table: what is written is read again, and nothing else is taken for one."""

import os
import zlib
from pathlib import Path
from struct import pack as pack_numbers

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.dns.packed_route import pack
from lars.dns.table import Routes
from lars.dns.table_file import DamagedTable, decode_table, encode_table, load_table, remove_leftovers, save_table
from lars.route import MAX_HOSTS, MAX_ID, ModuleId

IDS = st.integers(0, MAX_ID)
MODULES = st.builds(ModuleId, IDS, IDS)
ADDRESSES = st.tuples(
    st.integers(1, 2**32 - 1), st.integers(1, 65535), st.sampled_from([100, 0, 7]), st.sampled_from(["", "b"])
)
HOSTS = st.builds(pack, st.lists(ADDRESSES, min_size=1, max_size=40), st.sampled_from(["", '{"panic":false}']))
ROUTES = st.dictionaries(MODULES, HOSTS, max_size=20)
VERSIONS = st.integers(-(2**63), 2**63 - 1)


def encoded(version: int, routes: Routes) -> bytes:
    return b"".join(encode_table(version, routes.items(), len(routes)))


def plain(hosts: int, first: int = 1) -> bytes:
    """A packed route of plain hosts."""
    return pack([(ip, 80, 100, "") for ip in range(first, first + hosts)])


SAMPLE = encoded(7, {ModuleId(1, 1): plain(2), ModuleId(1, 2): pack([(1, 80, 50, "b"), (2, 80, 0, "")], "{}")})


class EncodingTests(SynchronousTestCase):
    @given(VERSIONS, ROUTES)
    def test_what_is_encoded_is_decoded_again(self, version: int, routes: Routes) -> None:
        self.assertEqual(decode_table(encoded(version, routes)), (version, routes))

    def test_the_fullest_module_is_kept_whole(self) -> None:
        routes = {ModuleId(MAX_ID, MAX_ID): plain(MAX_HOSTS, 2**31)}
        self.assertEqual(decode_table(encoded(1, routes)), (1, routes))

    def test_a_table_of_the_last_version_is_read(self) -> None:
        content = b"LARS ROUTES 1\n" + pack_numbers(">qQ", 7, 2)
        content += pack_numbers(">IIH", 1, 1, 2) + plain(2) + pack_numbers(">IIH", 1, 2, 1) + plain(1)
        content += zlib.crc32(content).to_bytes(4, "big")
        self.assertEqual(decode_table(content), (7, {ModuleId(1, 1): plain(2), ModuleId(1, 2): plain(1)}))

    def test_every_part_of_a_file_is_less_than_a_file(self) -> None:
        for end in range(len(SAMPLE)):
            with self.assertRaises(DamagedTable):
                decode_table(SAMPLE[:end])

    @given(st.integers(0, len(SAMPLE) - 1), st.integers(1, 255))
    def test_no_changed_byte_goes_unseen(self, at: int, change: int) -> None:
        damaged = bytearray(SAMPLE)
        damaged[at] ^= change
        with self.assertRaises(DamagedTable):
            decode_table(bytes(damaged))

    @given(st.binary(min_size=1, max_size=50))
    def test_nothing_may_follow(self, more: bytes) -> None:
        with self.assertRaises(DamagedTable):
            decode_table(SAMPLE + more)

    @given(st.binary(max_size=200), st.booleans(), st.booleans())
    def test_no_bytes_raise_anything_but_damaged_table(self, data: bytes, with_magic: bool, with_check: bool) -> None:
        """Also where the magic or the check sum happen to be right."""
        if with_magic:
            data = b"LARS ROUTES 2\n" + data
        if with_check:
            data += zlib.crc32(data).to_bytes(4, "big")
        try:
            version, routes = decode_table(data)
        except DamagedTable:
            return
        self.assertEqual(encoded(version, routes), data)

    def test_no_module_is_without_hosts_or_has_too_many(self) -> None:
        for hosts in (0, MAX_HOSTS + 1):
            with self.assertRaisesRegex(DamagedTable, "a module has no hosts, or too many"):
                decode_table(encoded(1, {ModuleId(1, 1): plain(hosts)}))


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "saved [1]"

    def test_what_is_saved_is_loaded_again_and_nothing_is_left_beside_it(self) -> None:
        for version in (1, 2):
            routes = {ModuleId(1, version): plain(1)}
            save_table(self.path, encode_table(version, routes.items(), 1))
            self.assertEqual(load_table(self.path), (version, routes))
        self.assertEqual(os.listdir(self.folder), [self.path.name])

    def test_no_file_is_no_fault(self) -> None:
        self.assertIsNone(load_table(self.path))

    def test_what_cannot_be_used_is_told_by_name_and_reason(self) -> None:
        reasons = {
            b"": "it is not a saved table of lars-dns",
            b"root:x:0:0:root:/root:/bin/bash\n": "it is not a saved table of lars-dns",
            b"LARS ROUTES 3\n" + SAMPLE[14:]: "it is not a saved table of lars-dns",
            SAMPLE[:-7]: "its check sum is wrong",
            SAMPLE + SAMPLE: "its check sum is wrong",
        }
        for content, reason in reasons.items():
            self.path.write_bytes(content)
            with self.assertRaises(DamagedTable) as raised:
                load_table(self.path)
            self.assertEqual(str(raised.exception), f"saved table {self.path} is not used: {reason}")

    def test_a_folder_in_its_place_is_told(self) -> None:
        with self.assertRaisesRegex(DamagedTable, "cannot be read: Is a directory"):
            load_table(self.folder)

    def test_a_failed_save_leaves_the_old_file_and_nothing_else(self) -> None:
        save_table(self.path, [SAMPLE])

        def full_disk() -> Routes:
            raise OSError(28, "No space left on device")

        with self.assertRaises(OSError):
            save_table(self.path, (b"piece" for _ in full_disk()))
        self.assertEqual(self.path.read_bytes(), SAMPLE)
        self.assertEqual(os.listdir(self.folder), [self.path.name])

    def test_leftovers_of_killed_writers_are_removed_and_nothing_else(self) -> None:
        for name in ("saved [1]", "saved [1].new12", "saved [1].new34567", "saved 1.new12", "other"):
            (self.folder / name).write_bytes(b"")
        remove_leftovers(self.path)
        self.assertEqual(sorted(os.listdir(self.folder)), ["other", "saved 1.new12", "saved [1]"])
        remove_leftovers(self.folder / "no folder" / "saved")
        remove_leftovers(self.path / "saved")
