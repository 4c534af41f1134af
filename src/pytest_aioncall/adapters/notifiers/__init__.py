"""What tells people: one file a receiver, each a factory by the name that `notifiers` in aioncall.yaml gives.

    slack.py      an incoming webhook of Slack
    webhook.py    any address, signed by Standard Webhooks
    pagerduty.py  Events API v2
    file.py       a file of JSON Lines
    saying.py     texts cut to a receiver's limits, and the words for a refusal

`github` and `review` are no notifiers: the issue and the weekly review are themselves what arrives.
"""

from .file import file
from .pagerduty import pagerduty
from .slack import slack
from .webhook import webhook

__all__ = ["file", "pagerduty", "slack", "webhook"]
