"""What commands print: tables, JSON, bars, and displays that refresh in place."""
