"""Metrics and health of a service over HTTP, at the place that `--metrics` names."""
