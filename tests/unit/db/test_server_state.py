"""Which servers take writes, by what they say of themselves."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.server_state import is_galera, why_no_writes

NODE = {"wsrep_on": "ON", "wsrep_provider": "/usr/lib/galera/libgalera_smm.so", "read_only": "OFF"}
SYNCED = {"wsrep_cluster_status": "Primary", "wsrep_local_state_comment": "Synced", "wsrep_ready": "ON"}


class WhyNoWritesTests(SynchronousTestCase):
    def test_servers_that_take_writes(self) -> None:
        for variables, status in (
            ({"read_only": "OFF", "super_read_only": "OFF"}, {}),  # MySQL
            ({"read_only": "OFF", "wsrep_on": "OFF", "wsrep_provider": "none"}, {"wsrep_ready": "OFF"}),  # MariaDB
            (NODE, SYNCED),
        ):
            self.assertEqual(why_no_writes(variables, status), "")

    def test_servers_that_take_none(self) -> None:
        for variables, status, expected in (
            ({"read_only": "ON", "super_read_only": "OFF"}, {}, "is read-only"),
            ({"read_only": "OFF", "super_read_only": "ON"}, {}, "is read-only"),
            ({"read_only": "NO_LOCK"}, {}, "is read-only"),
            ({**NODE, "read_only": "ON"}, SYNCED, "is read-only"),
            (
                NODE,
                {**SYNCED, "wsrep_cluster_status": "non-Primary"},
                "is not in the primary component of its cluster but non-Primary",
            ),
            (NODE, {}, "is not in the primary component of its cluster but in none"),
            (
                NODE,
                {**SYNCED, "wsrep_local_state_comment": "Donor/Desynced"},
                "is not synced with its cluster: Donor/Desynced",
            ),
            (NODE, {**SYNCED, "wsrep_ready": "OFF"}, "is not ready in its cluster"),
        ):
            self.assertEqual(why_no_writes(variables, status), expected)

    def test_only_a_server_with_a_provider_is_a_node(self) -> None:
        self.assertTrue(is_galera(NODE))
        self.assertFalse(is_galera({"wsrep_on": "ON", "wsrep_provider": "none"}))
        self.assertFalse(is_galera({}))
