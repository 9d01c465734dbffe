"""The check that a module's settings ask for."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.health.check import DEFAULT_CHECK, KINDS, PASSED, Check, Outcome
from lars.module_settings import DEFAULTS, with_defaults
from lars.route import HostAddress


class CheckTests(SynchronousTestCase):
    def test_default_checks_ejected_hosts_by_tcp(self) -> None:
        self.assertEqual((DEFAULT_CHECK.type, DEFAULT_CHECK.when), ("tcp", "ejected"))
        self.assertEqual(Check.of(with_defaults({}, "adaptive")), DEFAULT_CHECK)
        names = {name.partition(".")[2] for name in DEFAULTS if name.startswith("health_check.")}
        self.assertEqual(names, set(Check.__dataclass_fields__))

    def test_port_is_that_of_the_host_unless_set(self) -> None:
        self.assertEqual(DEFAULT_CHECK.target(HostAddress(7, 80)), HostAddress(7, 80))
        check = Check.of(with_defaults({"health_check.port": 81}, "adaptive"))
        self.assertEqual(check.target(HostAddress(7, 80)), HostAddress(7, 81))

    def test_only_passed_passes_and_a_status_is_an_answer(self) -> None:
        self.assertEqual([kind for kind in KINDS if Outcome(kind).passed], ["passed"])
        self.assertEqual(
            (PASSED.answered, Outcome("status").answered, Outcome("timeout").answered), (True, True, False)
        )
