"""The one shape of everything that crosses a file or a wire."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Refuse unknown keys and later changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


# json.dumps makes an encoder a call; 10,000 digests are cheaper with one.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Any) -> str:
    """Write `value` as JSON with one spelling: sorted keys, no spaces, text kept as Unicode."""
    return _ENCODER.encode(value)


def digest_of(value: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
