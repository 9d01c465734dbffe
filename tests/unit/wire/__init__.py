"""Tests of the wire: frames, messages and the protocol."""
