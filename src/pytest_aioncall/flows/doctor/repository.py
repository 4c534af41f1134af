"""Looks at the repository: a remote, how long it has been idle, the branch of the history, people on call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ...adapters import git
from ..delivering.channels import calls_somebody, notifiers_for
from ..scaffold_github import ENVIRONMENT
from .findings import Finding, Fine, Patient, Said, secret_command

IDLE_DAYS = 60
"""Without a commit for so long, GitHub switches schedules of a public repository off."""
_SOON_DAYS = 50


def look_at_repository(patient: Patient) -> Iterator[Said]:
    """Say whether there is a repository that GitHub can run workflows of, and whether it is awake."""
    root = patient.root
    if git.top_of(root) is None:
        why = "baselines are read from git's history, and workflows run from a repository"
        yield Finding("repository", "must", "this is no git repository", why, "git init")
        return
    made = git.last_commit_at(root)
    if made is None:
        why = "a pull request is compared with a commit"
        yield Finding("repository", "must", "nothing is committed yet", why, "git add --all && git commit")
        return
    if git.remote_url(root) is None:
        why = "workflows run where the repository is pushed to"
        fix = "git remote add origin ADDRESS && git push --set-upstream origin HEAD"
        yield Finding("repository", "must", "there is no remote called origin", why, fix)
        return
    idle = ((patient.settings.now or datetime.now(UTC)) - made).days
    if idle >= _SOON_DAYS:
        off = idle >= IDLE_DAYS
        what = f"the last commit is {idle} days old"
        so = ", so it is off by now" if off else ""
        why = f"GitHub switches a schedule off after {IDLE_DAYS} days without one{so}"
        fix = "push any commit, then: gh workflow enable aioncall-daily.yml" if off else "push any commit"
        yield Finding("schedule", "must" if off else "should", what, why, fix)
        return
    yield Fine("repository", f"the last commit is {idle} day{'' if idle == 1 else 's'} old")


def look_at_history(patient: Patient) -> Iterator[Said]:
    """Say whether the branch that keeps the history is there, as far as this clone knows."""
    branch = patient.settings.config.monitors.history
    if git.remote_url(patient.root) is None:
        return
    if git.commit_of(patient.root, f"refs/remotes/origin/{branch}") is not None:
        yield Fine("history", f"origin/{branch} is there")
        return
    yield Finding(
        "history",
        "should",
        f"this clone knows no branch {branch}",
        "without history every day is the first one: no trend, no reference, no recovery",
        f"git fetch origin {branch}; where it does not exist, the first daily run makes it",
    )


def look_at_oncall(patient: Patient) -> Iterator[Said]:
    """Say whether a page names a person, rings, and whether silence would be noticed."""
    config = patient.settings.config
    file = "aioncall.yaml"
    if config.oncall.rotation is None:
        yield Finding(
            "on call",
            "should",
            "there is no oncall section with a rotation",
            "issues and pages name the owner of the evalset, and nobody is on call for this week",
            'oncall: {timezone: Europe/Berlin, rotation: {people: ["@ann", "@bo", "@cy"]}}',
            file,
        )
    else:
        yield Fine("on call", f"{len(config.oncall.rotation.people)} people take turns")
    if not any(calls_somebody(name, patient.settings) for name in config.routes.tier1):
        yield Finding(
            "routes",
            "should",
            "a page of tier 1 only opens an issue"
            if notifiers_for(1, patient.settings) == ()
            else "a page of tier 1 ends in a file",
            "no phone rings: outside of working hours nobody reads it within its two hours; an outage "
            "(errors, judge_unavailable) opens no issue until monitors.no_data_days are over: the red run "
            "is its signal",
            "routes: {tier1: [pagerduty, github]}, then aioncall init --github --update, and: "
            + secret_command("PAGERDUTY_ROUTING_KEY", ENVIRONMENT),
            file,
        )
    if config.monitors.heartbeat_url_env is None and not patient.settings.secrets.get(
        "AIONCALL_HEARTBEAT_URL"
    ):
        yield Finding(
            "heartbeat",
            "should",
            "nothing outside notices that no run started",
            "a schedule that GitHub dropped or switched off cannot report itself",
            "monitors: {heartbeat_url_env: AIONCALL_HEARTBEAT_URL}, and the address of a dead man's switch: "
            + secret_command("AIONCALL_HEARTBEAT_URL", ENVIRONMENT),
            file,
        )
