"""NOUNS: frozen pydantic models. No I/O, no clock, no numpy."""
