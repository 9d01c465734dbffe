"""What of its view of hosts the agent sends, and when."""

import random

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.module import Module
from lars.agent.views import ALL_EVERY, CALLS_EVERY, ITEMS, MOST_MODULES, Views
from lars.balancing.policies import new_policy
from lars.host_condition import Condition
from lars.route import HostAddress, ModuleId, Steering
from lars.wire.frames import MAX_BODY
from lars.wire.lars_pb2 import AgentFacts, AgentViews, HostView, ModuleView

A, B, C = (HostAddress(n, 80) for n in (1, 2, 3))


class ViewsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.facts = AgentFacts(hostname="shop-1", age_s=5)
        self.views = Views(self.current_facts, 5.0)
        self.module = self.module_of(A, B, C)
        self.now = 0.0

    def current_facts(self, now: float) -> AgentFacts:
        """A copy, as the agent makes one anew each time."""
        facts = AgentFacts()
        facts.CopyFrom(self.facts)
        facts.age_s += int(now)
        return facts

    def module_of(self, *hosts: HostAddress, policy: str = "round_robin") -> Module:
        module = Module(ModuleId(1, 1), new_policy(policy, random.Random(1)), 0.0)
        module.take_route(hosts, 1e9, True, 0.0, version=7)
        return module

    def due(self, seconds: float = 5.0, connection: int = 1) -> list[ModuleView]:
        """What is due of the module `seconds` after the last time."""
        self.now += seconds
        self.module.sweep(self.now)
        return [view for message in self.messages(connection) for view in message.module]

    def messages(self, connection: int = 1) -> list[AgentViews]:
        return self.views.due([self.module], connection, self.now)

    def hosts(self, seconds: float = 5.0, connection: int = 1) -> dict[int, HostView]:
        return {host.ip: host for view in self.due(seconds, connection) for host in view.host}

    def break_host(self, host: HostAddress, times: int = 3) -> None:
        for other in {A, B, C} - {host}:
            self.module.report(other, False, 0.0, self.now)
        for _ in range(times):
            self.module.report(host, True, 0.0, self.now)

    def test_first_message_says_who_the_agent_is_and_which_routes_it_holds(self) -> None:
        facts, module = self.messages()
        self.assertEqual((facts.agent.hostname, facts.agent.age_s), ("shop-1", 5))
        self.assertEqual(module.module[0], ModuleView(modid=1, cmdid=1, version=7, period_s=5))

    def test_nothing_is_sent_while_nothing_happens(self) -> None:
        self.due()
        self.assertEqual(self.messages(), [])

    def test_another_connection_gets_everything(self) -> None:
        self.break_host(A)
        self.due()
        self.assertEqual(set(self.hosts(connection=2)), {A.ip})
        self.assertEqual(self.messages(3)[0].agent.hostname, "shop-1")

    def test_ejected_host_is_sent_at_once_with_its_reason(self) -> None:
        self.due()
        self.break_host(A)
        seen = self.hosts(1.0)[A.ip]
        self.assertEqual((seen.condition, seen.reason), (Condition.EJECTED, "1 of 1 recent calls failed"))
        self.assertEqual(self.hosts(2.0), {}, "it is not repeated")
        self.assertFalse(seen.HasField("succ"), "calls are sent once a minute")

    def test_age_is_that_of_the_state(self) -> None:
        self.due()
        self.break_host(A)
        self.due(1.0)
        self.assertEqual(self.hosts(30.0, connection=2)[A.ip].age_s, 30)

    def test_calls_are_sent_once_a_minute_each_once(self) -> None:
        self.due()
        self.module.report(A, False, 0.25, self.now)
        self.module.report(B, False, 0.0, self.now)
        self.assertEqual(self.hosts(CALLS_EVERY - 10), {})
        self.module.hosts[A].take_calls()  # as for a report to lars-reporter
        found = self.hosts(10.0)
        self.assertEqual({ip: (host.succ, host.err) for ip, host in found.items()}, {A.ip: (1, 0), B.ip: (1, 0)})
        self.assertEqual(found[A.ip].latency_us, 250_000)
        self.assertEqual(self.hosts(CALLS_EVERY), {})

    def test_drained_host_is_draining_since_the_route_came(self) -> None:
        self.due()
        self.now = 20.0
        self.module.take_route([A, B, C], 1e9, True, self.now, Steering({A: 0}), 8)
        (view,) = self.due()
        self.assertEqual((view.version, [host.ip for host in view.host]), (8, [A.ip]))
        self.assertEqual((view.host[0].condition, view.host[0].age_s), (Condition.DRAINING, 5))

    def test_unhealthy_host_has_what_its_checks_say_and_warms_up_once_they_pass(self) -> None:
        self.due()
        self.module.policy.check_failed(self.module.hosts[A], "http 503", "3 checks in a row failed")
        seen = self.hosts(1.0)[A.ip]
        self.assertEqual((seen.condition, seen.reason), (Condition.UNHEALTHY, "http 503"))
        self.module.policy.check_passed(self.module.hosts[A])
        seen = self.hosts(1.0)[A.ip]
        self.assertEqual((seen.condition, seen.reason), (Condition.WARMING_UP, "5%"))
        for _ in range(100):
            self.now += 0.05
            self.module.pick(0, self.now)
        self.assertEqual(self.hosts(1.0)[A.ip].condition, Condition.HEALTHY)

    def test_host_that_calls_have_ejected_stays_ejected_while_its_checks_fail_too(self) -> None:
        self.due()
        self.break_host(A)
        self.module.policy.check_failed(self.module.hosts[A], "tcp refused")
        seen = self.hosts(1.0)[A.ip]
        self.assertEqual((seen.condition, seen.reason), (Condition.EJECTED, "1 of 1 recent calls failed; tcp refused"))

    def test_classic_says_why_too(self) -> None:
        self.module = self.module_of(A, B, C, policy="classic")
        self.due()
        self.break_host(A, 60)
        seen = self.hosts(1.0)[A.ip]
        self.assertEqual(seen.condition, Condition.EJECTED)
        self.assertRegex(seen.reason, r"^\d+ of \d+ recent calls failed$")

    def test_views_without_healthy_hosts_are_those_of_the_others(self) -> None:
        for policy in ("classic", "adaptive"):
            self.module = self.module_of(A, B, C, policy=policy)
            self.module.take_route([A, B, C], 1e9, True, 0.0, Steering({B: 0}))
            self.break_host(A, 60)
            others = [view for view in self.module.policy.views() if view.condition is not Condition.HEALTHY]
            self.assertEqual(list(self.module.policy.views(healthy=False)), others)
            self.assertEqual({view.host.address for view in others}, {A, B}, policy)

    def test_everything_is_said_again_each_hour_and_changed_facts_at_once(self) -> None:
        self.due()
        self.facts.zone = "b"
        self.assertEqual([message.agent.zone for message in self.messages()], ["b"])
        self.assertEqual([view.version for view in self.due(ALL_EVERY)], [7])

    def test_forgotten_module_is_sent_as_such_once(self) -> None:
        self.views.forgotten(self.module)
        self.due()
        self.views.forgotten(self.module)
        self.assertEqual([view.forgotten for view in self.due()], [True])
        self.assertEqual(self.due(), [])

    def test_module_without_hosts_is_not_worth_a_word(self) -> None:
        self.module = self.module_of()
        self.assertEqual(self.due(), [])
        self.module.take_route([A], 1e9, True, self.now, version=8)
        self.assertEqual([view.version for view in self.due()], [8])
        self.module.take_route([], 1e9, True, self.now, version=9)
        self.assertEqual([view.version for view in self.due()], [9], "that it is empty now is")

    def test_of_very_many_modules_the_first_are_sent_and_a_forgotten_one_makes_room(self) -> None:
        modules = [self.module_of(A) for _ in range(MOST_MODULES + 1)]
        messages = self.views.due(modules, 1, 0.0)
        self.assertEqual(sum(len(message.module) for message in messages), MOST_MODULES)
        self.views.forgotten(modules[0])
        (message,) = self.views.due(modules[1:], 1, 1.0)
        self.assertEqual([view.forgotten for view in message.module], [True, False])

    def test_longest_messages_fit_a_frame(self) -> None:
        hosts = [HostAddress(2**32 - 1 - n, 65_535) for n in range(1_000)]
        self.module = self.module_of(*hosts)
        for host in list(self.module.hosts.values())[:-1]:
            self.module.policy.check_failed(host, "x" * 64, "checks failed")
        messages = self.messages()
        self.assertEqual(sum(len(view.host) for message in messages for view in message.module), 999)
        for message in messages:
            self.assertLessEqual(sum(1 + len(view.host) for view in message.module), ITEMS)
            self.assertLess(len(message.SerializeToString()), MAX_BODY)
