"""Scorers that YAML can name."""
