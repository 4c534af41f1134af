"""One text or one piece of JSON through everything that takes something out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .found import Found
from .known import SHORTEST_SECRET, KnownValues
from .own import PatternTooSlow
from .patterns import CUT_KEY, families_without, find_secrets
from .personal import find_personal_data, without_personal_data
from .rules import Rule, Rules
from .storing import storable

WITHHELD: Final = "[WITHHELD: the redact pattern "
"""What a text begins with that a pattern of the project was too slow for."""
_NAMES_KEPT: Final = 4096
# A number of fewer digits is nobody's card and no telephone.
_SHORTEST_NUMBER: Final = 10**7

# In JSON the name of a field says it.
_SECRET_FIELDS = frozenset(
    {
        "authorization",
        "proxy_authorization",
        "api_key",
        "apikey",
        "x_api_key",
        "x_goog_api_key",
        "x_auth_token",
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "secret_key",
        "secret_access_key",
        "aws_secret_access_key",
        "aws_session_token",
        "private_key",
        "password",
        "cookie",
        "set_cookie",
    }
)


class Redactor:
    """Take secrets out of texts and JSON.

    `secret_values` are values that are known (those of the environment variables the configuration names);
    `rules` are those of `redact` in aioncall.yaml, on top of the built-in patterns.
    """

    def __init__(self, secret_values: Iterable[str] = (), rules: Iterable[Rule] = ()) -> None:
        given = Rules(rules)
        self._known = KnownValues(secret_values)
        self._families = families_without(given.off)
        self._own = given.patterns
        self._off = given.off
        self._personal = given.personal
        # Below this length only a pattern of the project can match.
        self._shortest = 1 if self._own else SHORTEST_SECRET
        self._names: dict[str, tuple[str, bool]] = {}

    def text(self, text: str) -> str:
        """Return `text` with `[REDACTED:kind]` for every secret; the same object where there is none.

        `[WITHHELD: ...]` instead of all of it where a pattern of the project does not come to its end.
        """
        text = storable(text)
        if len(text) < self._shortest:
            return text
        text = self.shown(text)
        if self._personal:
            text = without_personal_data(text, self._personal)
        if self._own and not text.startswith(WITHHELD):
            text = self._without_own(text)
        return text

    def shown(self, text: str) -> str:
        """Return `text` without secrets, for a screen or a log: no data of people, no pattern of the project.

        Those are about what is stored; here they would change what other tests and libraries say.
        """
        if len(text) < SHORTEST_SECRET:
            return text
        text = self._known.taken_out(text)
        for gate, kinds in self._families:
            if gate(text):
                for kind in kinds:
                    text = kind.taken_out(text)
        if "..." in text or "\u2026" in text:
            text = CUT_KEY.sub("[REDACTED:cut-key]", text)
        return text

    def json(self, value: Any) -> Any:
        """Return JSON with every text in it redacted, keys too; the same object where nothing changed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            changed = {self._key(key): self._field(key, one) for key, one in value.items()}
            same = len(changed) == len(value) and all(
                key in changed and changed[key] is one for key, one in value.items()
            )
            return value if same else changed
        if isinstance(value, (list, tuple)):
            items = [self.json(one) for one in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SHORTEST_NUMBER:
            return self._number(value)
        return value

    def find(self, text: str) -> list[Found]:
        """Return the secrets by shape in `text`, and the personal data that redaction would leave in it."""
        return [*find_secrets(text, off=self._off), *find_personal_data(self.text(text))]

    @property
    def slow_patterns(self) -> dict[str, int]:
        """How many texts were withheld, by the pattern that was too slow for them."""
        late: dict[str, int] = {}
        for pattern in self._own:
            if pattern.late:
                late[pattern.name] = late.get(pattern.name, 0) + pattern.late
        return late

    def _without_own(self, text: str) -> str:
        try:
            for pattern in self._own:
                text = pattern.taken_out(text)
        except PatternTooSlow as slow:
            return (
                f"{WITHHELD}{slow.name!r} did not come to the end of these {len(text)} characters in time; "
                "it backtracks: make its repeats unambiguous]"
            )
        return text

    def _number(self, value: int) -> Any:
        try:
            written = str(value)
        except ValueError:  # Python writes no number of more than 4,300 digits
            return value
        clean = (
            self.text(written) if self._personal or self._own or written in self._known.numbers else written
        )
        return value if clean == written else clean

    def _key(self, key: Any) -> Any:
        return self._name(key)[0] if isinstance(key, str) else key

    def _name(self, key: str) -> tuple[str, bool]:
        """Return a field's name redacted, and whether it says that its value is secret; most come often."""
        known = self._names.get(key)
        if known is None:
            known = self.text(key), key.casefold().replace("-", "_") in _SECRET_FIELDS
            if len(self._names) < _NAMES_KEPT:
                self._names[key] = known
        return known

    def _field(self, key: Any, value: Any) -> Any:
        if isinstance(key, str) and self._name(key)[1]:
            if isinstance(value, str):
                return value if not value or value.startswith("[REDACTED:") else "[REDACTED:field]"
            if isinstance(value, (list, tuple)):
                return [self._field(key, one) for one in value]
        return self.json(value)
