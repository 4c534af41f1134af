"""Evalset files and what they include: YAML and JSON lines in, one checked Evalset out."""

from .load import line_of, load_evalset

__all__ = ["line_of", "load_evalset"]
