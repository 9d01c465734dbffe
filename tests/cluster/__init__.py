"""Lars on a MariaDB Galera cluster of three real nodes."""
