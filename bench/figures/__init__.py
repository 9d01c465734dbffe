"""What is measured: a file for each figure, or for figures that share their load."""
