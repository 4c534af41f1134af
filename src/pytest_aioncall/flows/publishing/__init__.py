"""Tell people on GitHub what a run said: the summary of the step, one comment, annotations, outputs.

reports.py      the report, or those of several jobs put together
place.py        where it is shown: what is known of the workflow run, the commit, the branch
summary.py      the summary of the step, its outputs and annotations
annotations.py  which lines of evalset files are annotated
outputs.py      what later steps may ask
pull.py         which pull request a comment belongs to
comment.py      the one comment of a pull request
check.py        a check of its own on the commit, which may be neutral
printing.py     what is printed into the log of a job
"""

from .check import Checked, publish_check
from .comment import Commented, publish_comment
from .printing import for_log
from .summary import Summarised, publish_summary

__all__ = [
    "Checked",
    "Commented",
    "Summarised",
    "for_log",
    "publish_check",
    "publish_comment",
    "publish_summary",
]
