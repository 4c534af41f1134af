"""Any address, signed: Standard Webhooks 1.0.0, symmetric signatures.

The receiver checks `webhook-signature` over `webhook-id.webhook-timestamp.body`, refuses old timestamps, and
takes one id once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, Final

from ...errors import UsageError
from ...model.ticket import Notification
from ...protocols import NotifierContext
from .saying import address_of, cut, refuse, secret_of

LONGEST_TEXT: Final = 10_000
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_HINTS: Final = {
    401: "does the receiver have the same secret, and the right time?",
    403: "does the receiver have the same secret, and the right time?",
    404: "is the address right?",
    410: "the receiver wants no more; take the notifier out of the routes, or give it a new address",
}


def webhook(
    *, url_env: str | None = None, key_env: str | None = None, context: NotifierContext
) -> WebhookNotifier:
    """Post JSON to an address, signed with the secret in `key_env`.

    The secret is `whsec_` and 24 to 64 bytes in base64; several of them, apart by spaces, sign side by side,
    so that a receiver can change from one to the next.
    """
    if url_env is None or key_env is None:
        missing = "url_env" if url_env is None else "key_env"
        what = "the address" if url_env is None else "the secret; an unsigned page could be anybody's"
        raise UsageError(f"notifier {context.name}: needs {missing}, the name of the variable with {what}")
    url = address_of(context, url_env, what="the receiver's address")
    told = secret_of(context, key_env, what="the signing secret, whsec_ and base64")
    keys = [_key(secret, context=context, variable=key_env) for secret in told.split()]
    return WebhookNotifier(url, keys=keys, hidden=(url, *told.split()), context=context)


class WebhookNotifier:
    """Posts one signed message for each notification; its id is the same whenever it is sent."""

    def __init__(
        self, url: str, *, keys: list[bytes], hidden: tuple[str, ...], context: NotifierContext
    ) -> None:
        self._url, self._keys, self._hidden, self._context = url, keys, hidden, context

    def send(self, notification: Notification) -> str:
        """Post it; return the id of the message."""
        id = message_id(notification)
        stamp = str(int(self._context.now().timestamp()))
        body = json.dumps(_payload(notification, self._context.project), separators=(",", ":")).encode()
        signatures = " ".join(signature(key, id, stamp, body) for key in self._keys)
        reply = self._context.calls.call(
            "POST",
            self._url,
            headers={
                "content-type": "application/json",
                "webhook-id": id,
                "webhook-timestamp": stamp,
                "webhook-signature": signatures,
            },
            content=body,
            secrets=self._hidden,
            repeatable=True,
        )
        refuse(reply, context=self._context, hints=_HINTS, hidden=self._hidden)
        return id


def message_id(notification: Notification) -> str:
    """Return the id of a message: fit for a header, and without the dot that parts it from what follows."""
    return "msg_" + hashlib.sha256(notification.id.encode("utf-8", "replace")).hexdigest()[:32]


def signature(key: bytes, id: str, stamp: str, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256 in base64."""
    signed = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _payload(notification: Notification, project: str) -> dict[str, Any]:
    data = notification.model_dump(mode="json")
    data |= {"project": project, "text": cut(notification.text, LONGEST_TEXT)}
    return {"type": f"aioncall.incident.{notification.action}", "timestamp": notification.at, "data": data}


def _key(secret: str, *, context: NotifierContext, variable: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise UsageError(
            f"notifier {context.name}: {variable} holds no signing secret: whsec_ and 24 to 64 bytes in "
            'base64; make one: python -c "import base64, secrets; '
            "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
        )
    return key
