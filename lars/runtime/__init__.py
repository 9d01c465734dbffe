"""What every service stands on: listening, lifecycle, periodic work, bounded logs. Knows nothing of routes."""
