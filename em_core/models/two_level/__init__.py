"""What the two-level model computes with: groups of rows and its starts."""
