"""The JSON API of programs under /api/v1 and its description."""
