"""Histories: one file a run, in a folder or on an orphan branch of git.

names     where things lie, under names that any disk can hold
reading   entries and records as text, read as if a stranger had written them
folder    a history in a folder
branch    a history on a branch; `pushing` is one try to share it, `overlay` what is not shared yet
"""

from .alerts import ALERTS_FILE, read_alerts, write_alerts
from .branch import Author, HistoryBranch, branch_folder
from .folder import HistoryFolder
from .names import entry_path, moment_of
from .reading import entry_text

__all__ = [
    "ALERTS_FILE",
    "Author",
    "HistoryBranch",
    "HistoryFolder",
    "branch_folder",
    "entry_path",
    "entry_text",
    "moment_of",
    "read_alerts",
    "write_alerts",
]
