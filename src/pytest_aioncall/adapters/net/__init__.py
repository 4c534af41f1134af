"""The one way out to the network: one client, retries for transport errors only, limits for each provider.

    wire.py       what a target or judge calls: enter the flow, try, wait, try again or give up
    calls.py      what a command calls: one call after the other, sent again only where that is safe
    flow.py       how many requests a provider gets at once and a minute, and when it wants none
    allowance.py  how many at once, learned from overload answers
    windows.py    how many, and how many tokens, in any stretch of a minute
    failures.py   what is tried again, after how long, and the words for giving up
    wishes.py     what a server's headers ask for: Retry-After and the ways vendors say it
    exchange.py   one request, one answer, and every way a library says that there is none
    ways.py       connections: lanes, aiohttp, HTTP/2, proxies
    library.py    which HTTP library it is

What never produced an answer is tried again: connection and read errors, time-outs, 408, 409, 429 and 5xx,
in jittered exponential steps, no sooner than `Retry-After` asks. Every other status is an answer and is
returned. A message of ours names host, status and what to do; it never holds a key. No HTTP library is
imported before the first request.
"""

from .calls import Caller
from .exchange import MAX_BODY
from .library import refuse_missing, versions
from .windows import Window
from .wire import HttpWire, make_wire
from .wishes import retry_after_s

__all__ = [
    "MAX_BODY",
    "Caller",
    "HttpWire",
    "Window",
    "make_wire",
    "refuse_missing",
    "retry_after_s",
    "versions",
]
