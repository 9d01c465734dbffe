"""Counters, gauges, health: what every service tells of itself over HTTP, where `--metrics` says."""
