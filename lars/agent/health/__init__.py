"""Health checks: whether a host of a route works, found out without a call of a user."""
