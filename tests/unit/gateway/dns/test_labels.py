"""Names of people as labels."""

from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.dns.labels import ids_by_label, label_of


class LabelsTests(SynchronousTestCase):
    def test_a_name_becomes_a_label(self) -> None:
        for name, label in (
            ("payments", b"payments"),
            ("Payment service", b"payment-service"),
            (" a__b (new) ", b"a-b-new"),
            ("v2", b"v2"),
            ("7", b""),
            ("支付", b""),
            ("", b""),
            ("--", b""),
            ("x" * 63, b"x" * 63),
            ("x" * 64, b""),
        ):
            self.assertEqual(label_of(name), label)

    def test_a_label_that_is_shared_stands_for_none(self) -> None:
        names = {1: "Payments", 2: "payments", 3: "refunds", 4: "payments!", 5: "支付"}
        self.assertEqual(ids_by_label(names), {b"refunds": 3})
