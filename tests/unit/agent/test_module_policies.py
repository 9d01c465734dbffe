"""The policy of each module: what it sets applies, and what is known of its hosts survives a change."""

import random

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.directory import Directory
from lars.agent.module import Module
from lars.agent.module_policies import MAX_SAID, ModulePolicies, client_may_pick
from lars.agent.settings import AgentSettings, ModulePolicy
from lars.balancing.host import HostState
from lars.module_settings import as_json, checked
from lars.route import ModuleId, Steering, parse_host
from lars.wire.lars_pb2 import RouteStateResponse

M, N = ModuleId(1, 1), ModuleId(1, 2)
A, B, C, D = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3, 4))
HOSTS = [A, B, C, D]


def state(module: Module) -> RouteStateResponse:
    return RouteStateResponse.FromString(module.route_state().full)


class ModulePoliciesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.said: list[str] = []
        conf = AgentSettings(module_policies=(ModulePolicy(N, "round_robin"),))
        self.policies = ModulePolicies(conf, random.Random(1), self.said.append)
        self.directory = Directory(self.policies.new, lambda _module: None, configure=self.configure)
        self.now = 0.0

    def configure(self, module: Module, now: float) -> None:
        settings = self.policies.settings_of(module.id, module.settings)
        module.use_policy(self.policies.changed(module.policy, settings), client_may_pick(settings), now)

    def take(self, text: str = "", key: ModuleId = M) -> Module:
        """Takes a route with the settings of a text, as lars-dns sends it."""
        module = self.directory.find(*key, self.now)
        assert module is not None
        self.directory.take_route(key, HOSTS, 600.0, True, self.now, Steering(settings=text))
        return module

    def fail_a(self, module: Module, times: int) -> None:
        """Has all hosts but A succeed, and then A fail."""
        for _ in range(20):
            for other in HOSTS:
                if other != A:
                    module.report(other, False, 0.001, self.now)
        for _ in range(times):
            self.now += 0.05
            module.pick(0, self.now)
            module.report(A, True, 0.0, self.now)

    def ejected(self, module: Module) -> list[object]:
        return [address for address, state in module.states().items() if state is HostState.EJECTED]


class ChoiceTests(ModulePoliciesCase):
    def test_module_without_settings_has_the_agents_choice(self) -> None:
        self.assertEqual((self.take().policy_name, self.take(key=N).policy_name), ("adaptive", "round_robin"))

    def test_settings_win_over_the_conf_file_and_their_end_gives_it_back(self) -> None:
        for key, default in ((M, "adaptive"), (N, "round_robin")):
            for policy in ("classic", "consistent_hash"):
                self.assertEqual(self.take(f'{{"policy":"{policy}"}}', key).policy_name, policy)
            self.assertEqual(self.take("", key).policy_name, default)

    def test_saved_settings_apply_from_the_start(self) -> None:
        self.directory.restore(M, HOSTS, 0.0, Steering(settings='{"policy":"classic"}'))
        self.assertEqual(self.directory.modules[M].policy_name, "classic")

    def test_what_is_not_known_has_its_default_and_is_said_once(self) -> None:
        text = '{"ejection.failures_in_a_row":"x","new_thing":1,"policy":"best"}'
        for key in (M, N, M):
            self.take(text, key)
            self.take("", key)
        self.assertEqual(self.directory.modules[M].policy_name, "adaptive")
        self.assertEqual(len(self.said), 3)
        self.assertIn("'new_thing' is not a setting of a module", self.said[1])
        self.take("[")
        self.assertEqual(self.said[3], "a module's settings: the settings are not a JSON object; the default is used")

    def test_faults_without_end_are_not_all_remembered(self) -> None:
        for n in range(MAX_SAID + 10):
            self.policies.settings_of(M, f'{{"x{n}":1}}')
        self.assertEqual(len(self.said), MAX_SAID)

    def test_clients_ask_for_each_call_where_the_module_or_its_rules_want_it(self) -> None:
        for text in ('{"client_cache":false}', '{"ejection.enabled":false}'):
            module = self.take()
            self.assertFalse(state(module).ask)
            self.take(text)
            self.assertTrue(state(module).ask)
            self.assertEqual(len(state(module).idle), len(HOSTS), "others than caches read it too")
        self.take()
        self.assertFalse(state(module).ask)


class EvidenceTests(ModulePoliciesCase):
    def test_ejected_host_stays_so_whatever_policy_the_module_gets(self) -> None:
        for first in ("adaptive", "classic"):
            for then in ("round_robin", "consistent_hash", "classic", "adaptive"):
                self.setUp()
                module = self.take(as_json(checked({"policy": first})))
                self.fail_a(module, 40)
                self.assertEqual(self.ejected(module), [A], first)
                module.sweep(self.now)
                self.take(as_json(checked({"policy": then})))
                self.assertEqual((module.policy_name, self.ejected(module)), (then, [A]))
                self.assertEqual(module.sweep(self.now), [], "that is no change of a host's state")
                picked = {host.address for n in range(12) if (host := module.pick(n, self.now))}
                self.assertLessEqual(picked - {A}, {B, C, D})

    def test_counts_survive_a_change_of_the_picker(self) -> None:
        module = self.take()
        self.fail_a(module, 1)
        before = module.explain(self.now, 0, 1)[0]
        self.take('{"policy":"round_robin"}')
        after = module.explain(self.now, 0, 1)[0]
        self.assertEqual((after.calls, after.failures_in_a_row), (before.calls, 1))

    def test_calls_to_report_survive(self) -> None:
        module = self.take()
        self.fail_a(module, 3)
        self.take('{"policy":"classic"}')
        results = module.take_results(0.0)
        assert results is not None
        self.assertEqual(results[A][:2], (0, 3))

    def test_route_state_is_another_after_a_change_of_policy(self) -> None:
        module = self.take()
        versions = {module.route_state().version}
        for policy in ("classic", "adaptive", "round_robin"):
            self.take(f'{{"policy":"{policy}"}}')
            versions.add(module.route_state().version)
        self.assertEqual(len(versions), 3)  # adaptive twice


class EjectionTests(ModulePoliciesCase):
    def test_number_of_failures_in_a_row(self) -> None:
        for settings, failures, ejects in (("", 2, True), ('{"ejection.failures_in_a_row":6}', 4, False)):
            self.setUp()
            module = self.take(settings)
            for _ in range(20):  # so many good calls that only failures in a row count
                for host in HOSTS:
                    for _ in range(10):
                        module.report(host, False, 0.001, 0.0)
            for _ in range(failures):
                module.report(A, True, 0.001, 0.0)
            self.assertEqual(bool(self.ejected(module)), ejects, settings)

    def test_ejection_that_is_switched_off_restores_all_and_ejects_none(self) -> None:
        module = self.take()
        self.fail_a(module, 40)
        self.assertEqual(self.ejected(module), [A])
        self.take('{"ejection.enabled":false}')
        self.assertEqual(self.ejected(module), [])
        self.fail_a(module, 40)
        self.assertEqual(self.ejected(module), [])
        self.take()
        self.fail_a(module, 40)
        self.assertEqual(self.ejected(module), [A])

    def test_first_probe_comes_when_the_module_says(self) -> None:
        probes = []
        for text in ("", '{"ejection.first_wait":1,"ejection.max_wait":2}'):
            self.setUp()
            module = self.take(text)
            self.fail_a(module, 1)
            (found,) = [each for each in module.explain(self.now, 0, 4) if each.state is HostState.EJECTED]
            probes.append(found.next_probe or 0.0)
        self.assertGreater(probes[0], 4.0)
        self.assertLess(probes[1], 1.5)

    def test_waits_that_contradict_each_other_are_taken_for_the_longer(self) -> None:
        module = self.take('{"ejection.first_wait":60,"ejection.max_wait":2}')
        self.fail_a(module, 2)
        self.assertEqual(self.ejected(module), [A])

    def test_without_slow_start_a_new_host_has_its_share_at_once(self) -> None:
        for text, least in (("", 0), ('{"slow_start":0}', 20)):
            self.setUp()
            self.directory.find(*M, 0.0)
            self.directory.take_route(M, HOSTS[:3], 600.0, True, 0.0, Steering(settings=text))
            module = self.take(text)
            picked = [module.pick(0, 0.0) for _ in range(100)]
            count = sum(host is not None and host.address == D for host in picked)
            self.assertGreaterEqual(count, least)
            self.assertLess(count, 20 if not text else 31)
