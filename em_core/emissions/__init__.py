"""Emission distributions p(x | component), one file each."""
