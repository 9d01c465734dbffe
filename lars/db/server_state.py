"""Whether a database server takes writes, as it says itself: MySQL, MariaDB, and nodes of Galera.

See docs/design/database.md, several servers.
"""

from collections.abc import Mapping

VARIABLES = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'wsrep_on', 'wsrep_provider')"
)
STATUS = (
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_ready', 'wsrep_local_state_comment')"
)


def is_galera(variables: Mapping[str, str]) -> bool:
    """Whether the server is a node of Galera, by the rows of VARIABLES."""
    return variables.get("wsrep_on") == "ON" and variables.get("wsrep_provider", "none") != "none"


def why_no_writes(variables: Mapping[str, str], status: Mapping[str, str]) -> str:
    """What is wrong, to follow the server's name; empty for a server that takes writes.

    A node of Galera takes them while it is in the primary component and synced (Galera's documentation, node states):
    a donor or a desynced one may lag far behind, and one without a quorum refuses.

    Args:
        variables: the rows of VARIABLES.
        status: the rows of STATUS.
    """
    if is_galera(variables):
        component = status.get("wsrep_cluster_status", "")
        if component != "Primary":
            return f"is not in the primary component of its cluster but {component or 'in none'}"
        node = status.get("wsrep_local_state_comment", "")
        if node != "Synced":
            return f"is not synced with its cluster: {node or 'unknown'}"
        if status.get("wsrep_ready") != "ON":
            return "is not ready in its cluster"
    if {variables.get("read_only", "OFF"), variables.get("super_read_only", "OFF")} != {"OFF"}:  # MariaDB 12: NO_LOCK
        return "is read-only"
    return ""
