"""Drills: a whole Lars in zones that are networks of their own, under faults, and a check of what callers had."""
