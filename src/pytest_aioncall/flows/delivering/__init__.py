"""What goes out to people after a run: at least once, and not twice where it is known to have arrived.

notify.py    plan what is new, and deliver it: what `publish issues` and `monitor` end with
deliver.py   send what is planned and what waits; a second channel takes over; who was not reached
outbox.py    what waits (`outbox/`) and what arrived (`deliveries/`), in the records of the history
channels.py  notifiers by name, made when they are needed; a dead one is not asked again in this run
"""

from .channels import notifiers_for
from .deliver import Delivered, NobodyReached, deliver
from .notify import Heard, notify
from .outbox import Records

__all__ = ["Delivered", "Heard", "NobodyReached", "Records", "deliver", "notifiers_for", "notify"]
