"""lars-web: the console where operators edit routes and see the fleet, and its JSON API."""
