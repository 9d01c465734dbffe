"""The `lars` command: routes, the state of hosts, and what a business process would see.

See docs/design/command-line.md.
"""
