"""What many starts are made of: side by side or one by one, and which ends are one optimum."""
