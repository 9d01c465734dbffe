"""Tests of lars.settings."""
