"""Ranges of modules: what a text means, and that one text leads to one meaning."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.module_ranges import EVERYTHING, NOTHING, BadRanges, ModuleRange, ModuleRanges, module_ranges, stored_ranges
from lars.route import MAX_ID, ModuleId

IDS = st.integers(0, MAX_ID)
RANGES = st.builds(
    lambda ends, cmdid: ModuleRange(min(ends), max(ends), cmdid if ends[0] == ends[1] else None),
    st.tuples(IDS, IDS) | IDS.map(lambda n: (n, n)),
    st.none() | IDS,
)


class ModuleRangesTests(SynchronousTestCase):
    def test_modules_of_each_form(self) -> None:
        for text, inside, outside in (
            ("1", [(1, 0), (1, MAX_ID)], [(0, 1), (2, 1), (11, 1)]),
            ("1-99", [(1, 1), (99, 7)], [(0, 1), (100, 1)]),
            ("1.1, 2.*", [(1, 1), (2, 9)], [(1, 2), (3, 1)]),
            ("  5  7.3 ", [(5, 1), (7, 3)], [(7, 4), (6, 1)]),
        ):
            ranges = module_ranges(text)
            self.assertEqual([ModuleId(*m) in ranges for m in (*inside, *outside)], [True] * 2 + [False] * len(outside))
            self.assertFalse(ranges.is_everything)

    def test_empty_text_is_every_module(self) -> None:
        for text in ("", "  "):
            self.assertEqual(module_ranges(text), EVERYTHING)
        self.assertIn(ModuleId(5, 5), EVERYTHING)
        self.assertTrue(EVERYTHING.has_modid(5))

    def test_modid_is_within_if_all_of_its_modules_are(self) -> None:
        ranges = module_ranges("1.1, 2-3, 4.*")
        self.assertEqual([ranges.has_modid(n) for n in range(6)], [False, False, True, True, True, False])

    def test_other_texts_are_refused_in_one_line(self) -> None:
        for text in (
            "x",
            "1-",
            "9-1",
            "1.x",
            "-1",
            "1.1-5",
            "2147483648",
            "1.2147483648",
            "1;2",
            "*",
            "\u0661",
            "1" * 501,
        ):
            error = self.assertRaises(BadRanges, module_ranges, text)
            self.assertNotIn("\n", str(error))

    def test_what_sql_wrote_wrongly_is_no_module(self) -> None:
        self.assertEqual(stored_ranges("all"), NOTHING)
        self.assertNotIn(ModuleId(1, 1), NOTHING)
        self.assertFalse(NOTHING.has_modid(1))

    @given(st.lists(RANGES, max_size=8))
    def test_text_of_ranges_means_them(self, ranges: list[ModuleRange]) -> None:
        some = ModuleRanges(tuple(ranges))
        self.assertEqual(module_ranges(str(some)), some)
