"""What GitHub says of a repository itself: its workflows, branches and the names of its secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..errors import DeliveryError
from ..model.github import GitHub
from ..protocols import Calls
from .text import one_line


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """A branch: whether anything protects it, and the kinds of rules that hold for it."""

    protected: bool
    rules: frozenset[str]


class RepositoryFacts:
    """Reads, and changes nothing. Every method raises DeliveryError where GitHub does not answer at all.

    What the token may not see is None: it is not known, and nobody should take it for missing.
    """

    def __init__(self, github: GitHub, calls: Calls) -> None:
        self._github = github
        self._calls = calls

    def repository(self) -> Mapping[str, Any] | None:
        """Return GitHub's description of the repository; None where the token cannot see it."""
        return self._found("")

    def workflow_states(self) -> dict[str, str] | None:
        """Return `active`, `disabled_inactivity`, ... by path."""
        found = self._found("/actions/workflows?per_page=100")
        if found is None:
            return None
        return {str(one.get("path")): str(one.get("state")) for one in found.get("workflows", [])}

    def branch(self, name: str) -> BranchFacts | None:
        """Return what holds for a branch; None where there is none (or none that the token can see)."""
        there = self._found(f"/branches/{quote(name, safe='')}")
        if there is None:
            return None
        rules = self._get(f"/rules/branches/{quote(name, safe='')}")
        kinds = frozenset(str(rule.get("type")) for rule in rules) if isinstance(rules, list) else frozenset()
        return BranchFacts(bool(there.get("protected")), kinds)

    def secret_names(self, environments: Iterable[str]) -> frozenset[str] | None:
        """Return the names of the secrets that jobs of these environments see; None where not known."""
        places = ["/actions/secrets?per_page=100"]
        places += [f"/environments/{quote(name, safe='')}/secrets?per_page=100" for name in environments]
        found = [self._found(place) for place in places]
        if any(one is None for one in found):
            return None
        # Those of an organization; a person's repository has no such list.
        found.append(self._found("/actions/organization-secrets?per_page=100"))
        return frozenset(str(s.get("name")) for one in found if one for s in one.get("secrets", []))

    def _found(self, path: str) -> Mapping[str, Any] | None:
        told = self._get(path)
        return told if isinstance(told, dict) else None

    def _get(self, path: str) -> Any:
        url = f"{self._github.api_url}/repos/{self._github.repository}{path}"
        headers = {
            "authorization": f"Bearer {self._github.token}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        reply = self._calls.call("GET", url, headers=headers, tries=2, timeout_s=10.0)
        if reply.status == 401:
            raise DeliveryError("GitHub does not know this token (401)", status=401, refused=True)
        if reply.status != 200:
            return None
        try:
            return json.loads(reply.body)
        except ValueError as error:
            raise DeliveryError(f"{url}: GitHub's answer is no JSON: {one_line(str(error), 80)}") from None
