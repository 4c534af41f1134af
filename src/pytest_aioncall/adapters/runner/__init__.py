"""What a runner of GitHub Actions hands to a step and reads from it: the event, summary, outputs, commands.

event.py     the JSON of the event that started the workflow
files.py     the files that the runner reads after the step: summary and outputs
commands.py  lines that the runner obeys: annotations, and the end and beginning of obeying
"""

from .commands import Annotation, annotation_line, resume_commands, stop_commands
from .event import read_event
from .files import add_outputs, add_summary, room_in_summary

__all__ = [
    "Annotation",
    "add_outputs",
    "add_summary",
    "annotation_line",
    "read_event",
    "resume_commands",
    "room_in_summary",
    "stop_commands",
]
