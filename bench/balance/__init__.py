"""How well a policy balances, as callers see it: a deterministic simulator of agents, hosts and their faults.

Agents and hosts are simulated; the policies are the project's own classes from lars/balancing, and the rules of Envoy,
Finagle and Linkerd beside them. No clock is read. bench/balance/real does the same with real processes.
docs/performance.md (Balancing) says how both are used.
"""
