"""`aioncall publish issues`: bring the tracker to what a run found, and page whoever is to know.

publish    list, plan, do, and again until nothing is left to do
applying   one step on the tracker
hearing    what the issues tell those who are told besides: acknowledged, snoozed, escalated
"""

from .publish import Published, publish_issues, publish_run

__all__ = ["Published", "publish_issues", "publish_run"]
