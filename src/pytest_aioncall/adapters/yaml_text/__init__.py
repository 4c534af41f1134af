"""Text that users write in YAML and JSON lines: read within hard limits, refused with file and line."""

from .document import Document, Shape, parse_yaml
from .files import open_file, read_bytes
from .positions import Lines, lines_in, step
from .problems import Source, problems_of, quoted

__all__ = [
    "Document",
    "Lines",
    "Shape",
    "Source",
    "lines_in",
    "open_file",
    "parse_yaml",
    "problems_of",
    "quoted",
    "read_bytes",
    "step",
]
