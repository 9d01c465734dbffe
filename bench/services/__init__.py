"""The processes that are measured, each started as an operator would start it."""
