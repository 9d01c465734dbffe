"""Alarms: rules in the conf file, evaluated on what agents report; each alarm is raised once and cleared once.

See docs/design/reporter.md, alarms.
"""
