"""Tests of lars.db, each against both engines where it concerns both."""
