"""The bound along lines through the parameters, and its forms."""
