"""The `lars` command: edits routes, shows the state of hosts, and asks the agent as a business process does.

See docs/design/command-line.md.
"""
