"""What Gaussian components compute with: densities and moments of many rows, covariances' axes."""
