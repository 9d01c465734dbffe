"""The chaos drill: random faults of all kinds at a Lars in two zones, and a check of every call and every edit."""
