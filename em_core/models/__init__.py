"""Latent-variable models: one file or folder each."""
