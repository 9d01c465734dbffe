"""HTTP/JSON: hosts, reports, and what Envoy and Prometheus ask for."""
