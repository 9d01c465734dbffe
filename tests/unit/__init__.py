"""Tests without sockets, processes or sleeping; they run under trial and under pytest alike."""
