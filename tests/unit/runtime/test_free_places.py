"""What a service would listen on is looked at before it detaches."""

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.listening import CannotListen


class FreePlacesTests(SynchronousTestCase):
    def test_address_of_another_machine_is_named_with_the_reason(self) -> None:
        place = "tcp:7778:interface=192.0.2.1"
        with self.assertRaisesRegex(CannotListen, f"^cannot listen on {place}: Cannot assign requested address; "):
            require_free(cast(Any, None), place)

    def test_what_is_no_tcp_place_is_left_out(self) -> None:
        require_free(cast(Any, None), "", "unix:/run/lars.sock")

    def test_error_ends_the_process_with_one_line(self) -> None:
        def fail() -> None:
            with ended_by_errors("lars-dns"):
                raise CannotListen("cannot listen on tcp:7778")

        error = self.assertRaises(SystemExit, fail)
        self.assertEqual(str(error), "lars-dns: cannot listen on tcp:7778")
