"""Tests of the parts of lars.db that need no database."""
