"""Tests with real processes, sockets and databases."""
