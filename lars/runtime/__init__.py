"""What every service builds on: listening, lifecycle, periodic work, bounded logs. Knows nothing of routes."""
