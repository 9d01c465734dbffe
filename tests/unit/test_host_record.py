"""What an operator keeps with a host (docs/design/database.md, host records)."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import BadInput
from lars.host_record import PLAIN, Drain, HostChange, HostRecord, host_change, parse_change

DRAIN = HostChange(drain=Drain(until=2000, reason="kernel update"))
UNDRAIN = HostChange(undrain=True)


class DrainTests(SynchronousTestCase):
    def test_a_drain_sets_the_weight_to_0_and_its_end_restores_it(self) -> None:
        drained = DRAIN.applied(HostRecord(weight=50, zone="b"))
        self.assertEqual(drained, HostRecord(0, "b", (), "", 50, 2000, "kernel update"))
        self.assertTrue(drained.draining)
        self.assertEqual(UNDRAIN.applied(drained), HostRecord(weight=50, zone="b"))

    def test_a_second_drain_keeps_the_weight_of_the_first(self) -> None:
        again = HostChange(drain=Drain(3000, "disk")).applied(DRAIN.applied(HostRecord(weight=50)))
        self.assertEqual((again.drained_weight, again.drained_until, again.drain_reason), (50, 3000, "disk"))

    def test_a_weight_ends_a_drain(self) -> None:
        self.assertEqual(HostChange(weight=10).applied(DRAIN.applied(PLAIN)), HostRecord(weight=10))

    def test_a_weight_of_0_that_nobody_drained_is_not_restored(self) -> None:
        idle = HostRecord(weight=0)
        self.assertFalse(idle.draining)
        self.assertEqual(UNDRAIN.applied(idle), idle)

    def test_a_weight_that_sql_wrote_meanwhile_survives_the_end_of_the_drain(self) -> None:
        by_sql = HostRecord(weight=7, drained_weight=50, drained_until=2000)
        self.assertFalse(by_sql.draining)
        self.assertEqual(UNDRAIN.applied(by_sql), HostRecord(weight=7))

    def test_differences_show_what_is_another(self) -> None:
        after = HostRecord(50, "b", ("x", "y"), "new disk")
        self.assertEqual(
            PLAIN.differences(after), ["weight 100 → 50", 'zone "" → "b"', 'tags "" → x,y', 'note "" → "new disk"']
        )
        self.assertEqual(PLAIN.differences(PLAIN), [])

    def test_texts_show_what_is_special(self) -> None:
        self.assertEqual(PLAIN.texts, [])
        self.assertEqual(
            DRAIN.applied(HostRecord(tags=("a", "b"))).texts,
            ["weight=0", "drained_until=2000", 'drain_reason="kernel update"', "tags=a,b"],
        )


class ParseTests(SynchronousTestCase):
    def test_texts_become_a_change(self) -> None:
        self.assertEqual(
            parse_change(["weight=50", "zone=eu-1.b", "tags=b,a,b", "note=new disk"]),
            HostChange(50, "eu-1.b", ("a", "b"), "new disk"),
        )
        self.assertEqual(parse_change(["zone=", "tags=", "note="]), HostChange(None, "", (), ""))
        self.assertEqual(host_change({"weight": 0, "tags": ["x"]}), HostChange(weight=0, tags=("x",)))

    def test_bad_values_are_refused_one_line_each(self) -> None:
        for texts, problem in {
            ("weight=-1",): "weight '-1' is not a number from 0 to 1000",
            ("weight=1001",): "weight '1001' is not a number from 0 to 1000",
            ("weight=x",): "weight 'x' is not a number from 0 to 1000",
            ("zone=east coast",): "zone 'east coast' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen",
            ("zone=East",): "zone 'East' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen",
            ("wait=1",): "'wait' is nothing that a host has: use weight, zone, tags, note",
            ("weight",): "'weight' is not NAME=VALUE",
        }.items():
            self.assertEqual(self.assertRaises(BadInput, parse_change, texts).problems, [problem])
        for values in ({"weight": True}, {"weight": 1.5}, {"zone": None}, {"note": "a\nb"}, {"tags": "a"}):
            self.assertEqual(len(self.assertRaises(BadInput, host_change, values).problems), 1)
        self.assertEqual(len(self.assertRaises(BadInput, parse_change, ["weight=x", "zone=A"]).problems), 2)
