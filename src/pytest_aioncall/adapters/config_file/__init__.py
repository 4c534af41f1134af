"""`aioncall.yaml`: where the project root is, and what the configuration there says.

`file` reads the whole of it; `oncall` and `delivery` check what the models of these sections cannot say.
"""

from .file import FILE_NAME, find_root, load_config, read_section

__all__ = ["FILE_NAME", "find_root", "load_config", "read_section"]
