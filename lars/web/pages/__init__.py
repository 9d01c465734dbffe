"""What operators see and fill in: one module a set of pages, with what turns forms and figures into values."""
