"""DNS: a host as an A record, a route as SRV records."""
