"""Systems under test that YAML can name."""
