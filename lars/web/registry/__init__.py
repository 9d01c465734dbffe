"""Hosts that register themselves, and leave when they no longer renew."""
