"""Every parser of tests/fuzz with some inputs near those that it accepts; `make soak` gives them ten million."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.parsers import PARSERS

EXAMPLES = 60


def near(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """A seed of which a part is replaced by other bytes, by a part of another, or is there twice."""
    odd = st.sampled_from([b"\xff" * 8, b"\0", b"-1", b'"', b"{", b"[" * 300, b"9" * 30])
    return st.builds(
        lambda one, at, cut, part: one[:at] + part + one[at + cut :],
        st.sampled_from(seeds),
        st.integers(0, 200),
        st.integers(0, 20),
        st.one_of(st.binary(max_size=12), odd),
    )


class FuzzTests(SynchronousTestCase):
    def test_parsers_accept_their_seeds(self) -> None:
        for parser in PARSERS.values():
            for seed in parser.seeds:
                parser(seed)

    def test_nothing_but_an_error_of_lars_is_raised(self) -> None:
        for name, parser in PARSERS.items():
            with self.subTest(name):

                def refused_or_read(data: bytes) -> None:
                    PARSERS[name](data)  # noqa: B023  # called at once

                given_some = given(st.one_of(near(parser.seeds), st.binary(max_size=100)))
                settings(max_examples=EXAMPLES, deadline=None)(given_some(refused_or_read))()
