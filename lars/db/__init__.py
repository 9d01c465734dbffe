"""The database: two engines behind one interface, the adbapi pool, and the stores (design 5)."""
