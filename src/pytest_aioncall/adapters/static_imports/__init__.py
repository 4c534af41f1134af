"""What code reaches, found by reading it: nothing is imported and nothing is run.

modules.py  which modules of a project some modules import, and what of that cannot be seen
places.py   where a call looks for files whose names only show at run time
"""

from .modules import ProjectCode, Reached, entry_module

__all__ = ["ProjectCode", "Reached", "entry_module"]
