"""The database: two engines behind one interface, the adbapi pool, and the stores (docs/design/database.md)."""
