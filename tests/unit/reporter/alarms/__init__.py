"""Mirrors lars.reporter.alarms."""
