"""Looks at GitHub itself, where a token is there: switched-off workflows, branches, names of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from ...adapters import git
from ...adapters.repository_facts import RepositoryFacts
from ...adapters.workflow_files.reading import read_workflows
from ...errors import DeliveryError
from ...model.github import GitHub
from ...protocols import Calls
from ..scaffold_github import ENVIRONMENT, WORKFLOWS, key_variables, notifier_variables
from .findings import Finding, Fine, Patient, Said, Unknown, secret_command

# https://host/owner/name, ssh://git@host/owner/name, git@host:owner/name
_ADDRESS = re.compile(
    r"(?:\w+://)?(?:[^@/]+@)?(?P<host>[\w.-]+)(?::\d+)?[/:](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_KEEP = frozenset({"deletion", "non_fast_forward"})
_IN_THE_WAY = frozenset({"pull_request", "update", "required_status_checks"})


def look_at_github(patient: Patient, calls: Calls) -> Iterator[Said]:
    """Say what only GitHub knows. Changes nothing there."""
    github = _github_of(patient)
    if not github.token:
        why = "no GITHUB_TOKEN here; for example: GH_TOKEN=$(gh auth token) aioncall doctor --online"
        yield Unknown("GitHub", why)
        return
    if not github.repository:
        yield Unknown(
            "GitHub", "the remote origin is no repository of GitHub; GITHUB_REPOSITORY names another"
        )
        return
    facts = RepositoryFacts(github, calls)
    try:
        yield from _repository(facts, github)
        yield from _states(facts, patient)
        yield from _branch(facts, patient)
        yield from _secrets(facts, patient)
    except DeliveryError as error:
        yield Unknown("GitHub", str(error))


def _github_of(patient: Patient) -> GitHub:
    github = patient.settings.github
    if github.repository:
        return github
    found = _ADDRESS.fullmatch(git.remote_url(patient.root) or "")
    if found is None or found["host"].lower() != urlsplit(github.server_url).hostname:
        return github
    return replace(github, repository=found["name"])


def _repository(facts: RepositoryFacts, github: GitHub) -> Iterator[Said]:
    found = facts.repository()
    if found is None:
        why = "the token cannot see it: issues, comments and history need one that can"
        yield Finding(
            "GitHub", "must", f"no repository {github.repository}", why, "use a token of its members"
        )
        return
    if found.get("archived"):
        why = "no workflow runs and no issue can be opened"
        yield Finding("GitHub", "must", "the repository is archived", why, "Settings, General: unarchive")
    if found.get("has_issues") is False:
        fix = f"gh repo edit {github.repository} --enable-issues"
        yield Finding("GitHub", "must", "issues are switched off", "the daily run has nowhere to tell", fix)
    else:
        yield Fine("GitHub", f"{github.repository} can be seen, default branch {found.get('default_branch')}")


def _states(facts: RepositoryFacts, patient: Patient) -> Iterator[Said]:
    states = facts.workflow_states()
    if states is None:
        yield Unknown("workflow states", "the token may not read them (actions: read)")
        return
    ours = [
        f for f in read_workflows(patient.place.top / WORKFLOWS) if f.runs("aioncall") or f.runs("--aioncall")
    ]
    for file in ours:
        path = f"{WORKFLOWS}/{file.path.name}"
        state = states.get(path)
        if state is None:
            why = "it is not on the default branch"
            yield Finding("workflows", "must", "GitHub has no such workflow", why, "merge and push it", path)
        elif state != "active":
            why = "it never starts; GitHub does this after 60 days without a commit, or somebody did"
            fix = f"gh workflow enable {file.path.name}"
            yield Finding("schedule", "must", f"is switched off ({state})", why, fix, path)
        else:
            yield Fine("workflow states", f"{file.path.name} is active")


def _branch(facts: RepositoryFacts, patient: Patient) -> Iterator[Said]:
    name = patient.settings.config.monitors.history
    found = facts.branch(name)
    if found is None:
        yield Unknown("history branch", f"there is no {name} yet; the first daily run makes it")
        return
    if found.rules & _IN_THE_WAY:
        rules = ", ".join(sorted(found.rules & _IN_THE_WAY))
        why = "the daily run pushes to it directly, and cannot"
        fix = "Settings, Rules: let these rules not hold for this branch"
        yield Finding("history branch", "must", f"the rules of {name} ask for {rules}", why, fix)
    elif not (found.protected or found.rules >= _KEEP):
        why = "whoever may push can delete or rewrite what months of runs said"
        fix = (
            "Settings, Rules: a ruleset for it with 'Restrict deletions' and 'Block force pushes', no others"
        )
        yield Finding("history branch", "should", f"{name} is not protected", why, fix)
    else:
        yield Fine("history branch", f"{name} cannot be deleted or rewritten")


def _secrets(facts: RepositoryFacts, patient: Patient) -> Iterator[Said]:
    config = patient.settings.config
    asked = _asked(patient, frozenset([*key_variables(config), *notifier_variables(config)]))
    if not asked:
        return
    seen = {place: facts.secret_names([place] if place else []) for place in {place for place, _ in asked}}
    if None in seen.values():
        hidden = ", ".join(sorted(place for place, names in seen.items() if place and names is None))
        absent = (
            f", and those of an environment once Settings, Environments has it ({hidden})" if hidden else ""
        )
        yield Unknown("secrets", f"only an administrator's token may list their names{absent}")
        return
    missing = [(place, name) for place, name in sorted(asked) if name not in (seen[place] or ())]
    for place, name in missing:
        why, fix = "a job that needs it is given an empty text instead", secret_command(name, place)
        if not place and name in (facts.secret_names([ENVIRONMENT]) or ()):
            why = f"it stands in the environment {ENVIRONMENT}, and a job that needs it does not name that"
            fix = f"environment: {ENVIRONMENT} at the job in {', '.join(asked[place, name])}"
        yield Finding("secrets", "must", f"there is no secret {name}", why, fix, asked[place, name][0])
    if not missing:
        yield Fine("secrets", f"{len({name for _, name in asked})} names are there")


def _asked(patient: Patient, variables: frozenset[str]) -> dict[tuple[str, str], list[str]]:
    """Return the files that give these variables a secret, by (environment of the job, name of the secret).

    An environment that is worked out when the job starts is left out: nobody knows it here.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for file in read_workflows(patient.place.top / WORKFLOWS):
        given = [
            (job.environment, name.upper())
            for job in file.jobs
            if "${{" not in job.environment
            for step in job.steps
            for variable, value in step.env.items()
            if variable in variables
            for name in _SECRET.findall(value)
        ]
        for one in dict.fromkeys(given):
            found.setdefault(one, []).append(f"{WORKFLOWS}/{file.path.name}")
    return found
