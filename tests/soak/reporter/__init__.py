"""Long tests of lars-reporter."""
