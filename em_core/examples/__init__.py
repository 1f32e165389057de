"""Models of a person's own, complete: what to write, and how."""
