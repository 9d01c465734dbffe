"""Balancing: which host a call goes to, and which hosts get no calls for a while (docs/design/balancing.md).

Pure, below agent and client alike: no reactor, socket or clock; `now` (seconds, monotonic) is an argument.
"""
