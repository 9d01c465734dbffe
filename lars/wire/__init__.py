"""The wire: frames and messages, sans-I/O but for the one Twisted protocol that every TCP peer uses.

See docs/design/wire.md.
"""
