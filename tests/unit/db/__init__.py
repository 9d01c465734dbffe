"""Tests of lars.db without a server: pure parts, and transactions on SQLite in memory."""
