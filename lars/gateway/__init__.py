"""lars-gateway: the agent's answers by HTTP, DNS and Envoy's endpoint discovery; a client of the local agent."""
