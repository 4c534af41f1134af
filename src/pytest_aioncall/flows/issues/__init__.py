"""`aioncall publish issues`: bring the tracker to what a run found, and page whoever is to know.

publish    list, plan, do, and again until nothing is left to do
applying   one step on the tracker
paging     what goes out besides issues: to Slack, PagerDuty and the like
"""

from .publish import Published, publish_issues

__all__ = ["Published", "publish_issues"]
