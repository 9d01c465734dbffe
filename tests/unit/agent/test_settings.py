"""The agent's settings of balancing: which policy a module has, and what a mistake is answered with."""

import re
from dataclasses import asdict
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import AgentSettings, Server, servers
from lars.balancing.classic import ClassicSettings
from lars.balancing.policies import NAMES
from lars.errors import SettingsError
from lars.route import ModuleId
from lars.settings import resolve


class ServerTests(SynchronousTestCase):
    """Where lars-dns and lars-reporter listen."""

    def test_names_and_addresses_of_both_families(self) -> None:
        found = servers("10.0.0.1:7778, dns2:1,[fd00::5]:7778")
        self.assertEqual(found, (Server("10.0.0.1", 7778), Server("dns2", 1), Server("fd00::5", 7778)))
        self.assertEqual(", ".join(map(str, found)), "10.0.0.1:7778, dns2:1, [fd00::5]:7778")

    def test_ipv6_address_without_brackets_or_something_else_in_them_is_refused(self) -> None:
        for text, hint in (
            ("::1:7779", "[fd00::5]:7778"),
            ("[dns]:1", "not an IPv6 address"),
            ("[::1:7779", "brackets"),
        ):
            with self.assertRaisesRegex(SettingsError, re.escape(hint)):
                servers(text)

    def test_ipv6_address_in_the_conf_file_of_a_cpp_agent(self) -> None:
        path = self.mktemp()
        Path(path).write_text("[dnsserver]\nip = fd00::5\nport = 7778\n", encoding="utf-8")
        self.assertEqual(resolve(AgentSettings, conf=path).dns, (Server("fd00::5", 7778),))


class PolicySettingsTests(SynchronousTestCase):
    def load(self, text: str) -> AgentSettings:
        self.path = self.mktemp()
        Path(self.path).write_text(text, encoding="utf-8")
        return resolve(AgentSettings, conf=self.path)

    def refusal(self, text: str) -> str:
        with self.assertRaises(SettingsError) as caught:
            self.load(text)
        return str(caught.exception).removeprefix(f"{self.path}: ")

    def test_adaptive_is_the_default(self) -> None:
        settings = AgentSettings()
        self.assertEqual((settings.default_policy, settings.module_policies), ("adaptive", ()))
        self.assertEqual((settings.classic_key, settings.without_effect), ("", []))

    def test_each_key_of_classic_chooses_classic_also_with_its_default(self) -> None:
        for name, default in asdict(ClassicSettings()).items():
            settings = self.load(f"[loadbalance]\nupdate_timeout = 20\n{name} = {default}\n")
            self.assertEqual((settings.default_policy, settings.classic_key), ("classic", name))

    def test_what_is_not_as_in_a_new_agent_is_listed_by_its_keys(self) -> None:
        self.assertEqual(AgentSettings().differences, "")
        settings = self.load("[balance]\nmodules = 1.1:classic\ncheck_rate = 5\npolicy = round_robin\n")
        lines = ["policy = round_robin", "modules = 1.1:classic", "check_rate = 5"]
        self.assertEqual(settings.differences.splitlines(), lines)
        settings = self.load("[loadbalance]\nprobe_num = 20\nerr_rate = 0.25\n")
        self.assertEqual(settings.differences.splitlines(), ["policy = classic", "probe_num = 20", "err_rate = 0.25"])

    def test_update_timeout_chooses_nothing(self) -> None:
        settings = self.load("[loadbalance]\nupdate_timeout = 20\n")
        self.assertEqual((settings.default_policy, settings.classic_key), ("adaptive", ""))

    def test_a_key_of_classic_does_not_override_a_policy_that_is_given(self) -> None:
        settings = self.load("[balance]\npolicy = adaptive\n[loadbalance]\nprobe_num = 10\nerr_rate = 0.2\n")
        self.assertEqual((settings.default_policy, settings.classic_key), ("adaptive", ""))
        self.assertEqual(settings.without_effect, ["err_rate"])
        settings = resolve(AgentSettings, options={"probe_num": "9", "policy": "round_robin"})
        self.assertEqual(settings.default_policy, "round_robin")
        self.assertEqual(resolve(AgentSettings, options={"probe_num": "9"}).default_policy, "classic")

    def test_each_policy_can_be_chosen(self) -> None:
        for name in NAMES:
            self.assertEqual(self.load(f"[balance]\npolicy = {name}\n").default_policy, name)

    def test_module_may_have_a_policy_of_its_own(self) -> None:
        settings = self.load("[balance]\nmodules = 1.1:adaptive, 2.7:classic\n")
        self.assertEqual(dict(settings.module_policies), {ModuleId(1, 1): "adaptive", ModuleId(2, 7): "classic"})
        self.assertEqual(",".join(map(str, settings.module_policies)), "1.1:adaptive,2.7:classic")

    def test_unknown_policy_is_one_line_with_file_section_key_and_the_nearest(self) -> None:
        self.assertEqual(
            self.refusal("[balance]\npolicy = adaptiv\n"),
            "[balance] policy = 'adaptiv': 'adaptiv' is not a policy: use adaptive, round_robin, "
            "consistent_hash or classic; did you mean adaptive?",
        )
        self.assertIn("[balance] modules = '1.1:fast': 'fast' is not", self.refusal("[balance]\nmodules = 1.1:fast\n"))

    def test_module_that_is_not_two_numbers_is_refused(self) -> None:
        for item in ("1:adaptive", "1.x:adaptive", "0.0:classic", "1.-1:classic", "adaptive", "1.1.1:classic", ","):
            self.assertIn(f"[balance] modules = {item!r}: ", self.refusal(f"[balance]\nmodules = {item}\n"), item)

    def test_module_that_appears_twice_is_refused(self) -> None:
        refusal = self.refusal("[balance]\nmodules = 1.1:adaptive, 1.1:classic\n")
        self.assertIn("module (1, 1) appears twice", refusal)

    def test_changed_keys_of_classic_have_no_effect_on_another_policy(self) -> None:
        text = "[balance]\npolicy = {}\n[loadbalance]\nprobe_num = 11\nerr_rate = 0.1\nupdate_timeout = 20\n"
        self.assertEqual(self.load(text.format("classic")).without_effect, [])
        self.assertEqual(self.load(text.format("adaptive")).without_effect, ["probe_num"])
