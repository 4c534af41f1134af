"""Evalset files and what they include: YAML and JSON lines in, one checked Evalset out."""

from .load import line_of, lines_of, load_evalset, parts_named
from .schema import json_schema

__all__ = ["json_schema", "line_of", "lines_of", "load_evalset", "parts_named"]
