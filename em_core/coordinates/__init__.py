"""Parameters as points of an unconstrained space: domains, gradients, and slices along lines."""
