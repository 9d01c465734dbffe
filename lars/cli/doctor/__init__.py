"""What `lars doctor` looks at, and what it makes of that."""
