"""The limit of open files (RLIMIT_NOFILE), of which each connection takes one.

Where it is reached, accept fails and so does everything else that opens a file: a scrape of the metrics, a connection
to the database, a new log. So what takes many connections stops short of it.
"""

import os
import resource

from twisted.logger import Logger

_log = Logger()

RESERVE = 128
"""Files kept for metrics, database, logs and saved state; at most a quarter of the limit."""


def raise_file_limit() -> int:
    """Raises the soft limit to the hard one, which needs no privilege (getrlimit(2)). Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # a hard limit above what the kernel allows by now (fs.nr_open)
        return soft
    return hard


def usable_files(limit: int) -> int:
    """The files that connections may take, of `limit`."""
    return limit - min(RESERVE, limit // 4)


def check_file_limit(place: str, max_connections: int) -> int:
    """Raises the limit, and logs if it is too low for `max_connections` at a place. Returns the usable files."""
    limit = raise_file_limit()
    usable = usable_files(limit)
    if max_connections > usable:
        _log.warn(
            "{place}: max_connections = {connections} needs {needed} open files and the limit is {limit}, so some "
            "{usable} connections fit and more are closed; raise the limit (LimitNOFILE= of systemd, ulimit -Hn)",
            place=place,
            connections=max_connections,
            needed=max_connections + RESERVE,
            limit=limit,
            usable=usable,
        )
    return usable


def lowest_free_file(some_file: int) -> int:
    """The number that the next file would get, so that all below are in use (dup(2)); raises OSError if none is free.

    `some_file` is the number of any open file.
    """
    number = os.dup(some_file)
    os.close(number)
    return number
