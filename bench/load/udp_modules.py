"""The modules that udpload asks for, one for each of its threads."""

from bench.load.udp_load import THREADS
from lars.route import ModuleId

MODULES = [ModuleId(modid, 1) for modid in range(1, THREADS + 1)]

HOSTS = 10
"""Hosts of each module."""
