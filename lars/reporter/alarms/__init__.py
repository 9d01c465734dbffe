"""Alarms: rules in the conf judge what was reported; each raises once and clears once.

See docs/design/reporter.md, alarms.
"""
