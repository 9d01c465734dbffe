"""Keys: the same number in every process, whatever they are given as."""

from twisted.trial.unittest import SynchronousTestCase

from lars.client.errors import InvalidArgument
from lars.client.key import key_number


class KeyTests(SynchronousTestCase):
    def test_keys_have_these_numbers_for_ever(self) -> None:
        for key, number in (
            (None, 0),
            (1, 1),
            (2**64 - 1, 2**64 - 1),
            (0, 2**64 - 1),  # 0 on the wire is no key
            ("user 17", 870825515399368822),
            (b"user 17", 870825515399368822),
            (bytearray(b"user 17"), 870825515399368822),
            ("", 13020603013274838756),
            ("用户", 6840071560815213383),
        ):
            self.assertEqual(key_number(key), number, key)  # type: ignore[arg-type]

    def test_anything_else_is_refused_with_a_text(self) -> None:
        for key in (-1, 2**64, True, 1.5, ("user", 17), object()):
            with self.assertRaisesRegex(InvalidArgument, "cannot be used: give a number from 0"):
                key_number(key)  # type: ignore[arg-type]
