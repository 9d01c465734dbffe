"""What pages show of now: read once for all browsers, and streamed to them."""
