"""The laws that every model keeps, and what they are tried on."""
