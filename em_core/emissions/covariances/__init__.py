"""Covariance structures of Gaussian components, and the M-step of each."""
