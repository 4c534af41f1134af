"""Looks at `.github/`: the gate, the comment, the daily run, and who owns what the gate leans on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...adapters import git
from ...adapters.text import did_you_mean
from ...adapters.workflow_files import VERSION, written_as
from ...adapters.workflow_files.reading import WorkflowFile, read_workflows
from ..checking import models_of
from ..scaffold_github import ENVIRONMENT, WORKFLOWS, codeowner_lines, key_variables, notifier_variables
from .findings import Finding, Fine, Level, Patient, Said, secret_command

_WRITE = "aioncall init --github"
_UPDATE = f"{_WRITE} --update"
_OWN_ACTION = "pytest-aioncall@"


def look_at_workflows(patient: Patient) -> Iterator[Said]:
    """Say which workflows are missing, and what those that are there leave out."""
    files = read_workflows(patient.place.top / WORKFLOWS)
    for file in files:
        if file.problem:
            why = "GitHub does not start a workflow that it cannot read"
            yield Finding("workflows", "must", file.problem, why, "mend the file", _shown(file))
    gates = [f for f in files if "pull_request" in f.triggers and _runs_evals(f)]
    yield from _gate(gates, patient) if gates else [_no_gate()]
    comments = [f for f in files if "workflow_run" in f.triggers and f.runs("aioncall", "publish comment")]
    yield from _comment(comments, gates) if gates else []
    days = [
        f for f in files if f.runs("aioncall", "monitor") or ("schedule" in f.triggers and _runs_evals(f))
    ]
    yield from _daily(days, patient) if days else [_no_daily()]
    for file in {f.path: f for f in (*gates, *comments, *days)}.values():
        yield from _whole(file, patient)
    names = {f.name for f in files}
    for file in files:
        if file not in comments and (file.runs("aioncall") or file.runs("--aioncall")):
            yield from _unheard(file, names, "workflows")


def _runs_evals(file: WorkflowFile) -> bool:
    return file.runs("--aioncall") or any(_OWN_ACTION in s.uses or s.uses == "./" for s in file.steps)


def _shown(file: WorkflowFile) -> str:
    return f"{WORKFLOWS}/{file.path.name}"


def _no_gate() -> Finding:
    return Finding(
        "gate",
        "must",
        "no workflow runs the evals of a pull request",
        "a change that makes answers worse is merged like any other",
        _WRITE,
        WORKFLOWS,
    )


def _no_daily() -> Finding:
    return Finding(
        "daily run",
        "must",
        "no workflow runs the evals by the clock",
        "a model, an index or a provider changes without a commit here, and nobody is told",
        _WRITE,
        WORKFLOWS,
    )


def _gate(gates: list[WorkflowFile], patient: Patient) -> Iterator[Said]:
    found: list[Said] = []
    for file in gates:
        shown = _shown(file)
        options = [s.options for s in file.steps if s.uses.startswith("actions/checkout@")]
        if not any(o.get("fetch-depth") == "0" for o in options):
            why = "the baseline is read where the branch left its base; without history the run exits 4"
            found.append(Finding("gate", "must", "the checkout has no history", why, "fetch-depth: 0", shown))
        if not (file.runs("--aioncall-baseline-ref") or any("baseline-ref" in s.options for s in file.steps)):
            why = "without the base's baseline a pull request brings the baseline that it is judged by"
            fix = '--aioncall-baseline-ref "origin/${BASE_REF}", with BASE_REF: ${{ github.base_ref }} in env'
            found.append(Finding("gate", "must", "the base's baseline is not used", why, fix, shown))
        if "pull_request_target" in file.triggers:
            why = "code of a fork would run with a token that may write and with your keys"
            found.append(
                Finding("gate", "must", "runs on pull_request_target", why, "on: pull_request", shown)
            )
        found += _keys(file, patient, "gate")
    return iter(found or [Fine("gate", _shown(gates[0]))])


def _comment(comments: list[WorkflowFile], gates: list[WorkflowFile]) -> Iterator[Said]:
    if not comments:
        if not any(f.runs("aioncall", "publish comment") for f in gates):
            why = "reviewers have to open the log to learn why the gate is red"
            yield Finding("comment", "should", "nothing comments on pull requests", why, _WRITE, WORKFLOWS)
        return
    for file in comments:
        found = [*_unheard(file, {f.name for f in gates}, "comment"), *_rights(file, "comment")]
        if any(
            s.uses.startswith("actions/checkout@") and "head" in s.options.get("ref", "") for s in file.steps
        ):
            why = "its token may write, and code of a fork would run beside it"
            found.append(
                Finding(
                    "comment", "must", "checks the pull request out", why, "remove the step", _shown(file)
                )
            )
        yield from found or [Fine("comment", _shown(file))]


def _unheard(file: WorkflowFile, names: set[str], check: str) -> Iterator[Said]:
    """Say where a workflow waits for the end of one whose `name` nothing here has."""
    if "workflow_run" not in file.triggers:
        return
    told = file.triggers["workflow_run"]
    said = told.get("workflows") if isinstance(told, dict) else None
    heard = sorted(map(str, said if isinstance(said, list) else [said] if said else []))
    if not set(heard) & names:
        near = {near for one in heard if (near := did_you_mean(one, names)) is not None} or names
        what = f"waits for {', '.join(heard) or 'nothing'}, not for {', '.join(sorted(near))}"
        fix = f"workflows: [{', '.join(sorted(near))}]"
        yield Finding(check, "must", what, "it never starts", fix, _shown(file))


def _daily(days: list[WorkflowFile], patient: Patient) -> Iterator[Said]:
    found: list[Said] = []
    for file in days:
        shown = _shown(file)
        if "schedule" not in file.triggers:
            why = "it runs when somebody starts it, and that is when nobody is watching"
            found.append(
                Finding(
                    "daily run",
                    "must",
                    "has no schedule",
                    why,
                    'on: {schedule: [{cron: "17 4 * * *"}]}',
                    shown,
                )
            )
        if not file.runs("aioncall", "monitor"):
            why = "each day is judged alone: a slow decline, a new error or a changed model is never seen"
            fix = f"aioncall monitor --run latest --history {patient.settings.config.monitors.history}"
            found.append(Finding("daily run", "must", "does not monitor its runs", why, fix, shown))
        if not file.runs("aioncall", "publish issues"):
            why = "what the monitor finds stays in a log"
            found.append(
                Finding(
                    "daily run", "must", "opens no issue", why, "aioncall publish issues --run latest", shown
                )
            )
        found += _rights(file, "daily run")
        found += _keys(file, patient, "daily run")
        found += _channels(file, patient)
        found += _history(file, patient)
    return iter(found or [Fine("daily run", _shown(days[0]))])


_RIGHTS: dict[str, tuple[str, Level, str]] = {
    "monitor": ("contents", "must", "the history cannot be pushed, and every day is the first one"),
    "publish issues": ("issues", "must", "no issue can be opened, changed or closed"),
    "publish comment": ("pull-requests", "should", "what it says ends in the summary of its own step"),
    "publish check": ("checks", "should", "what it says ends in the summary of its own step"),
}


def _rights(file: WorkflowFile, check: str) -> Iterator[Said]:
    for command, (right, level, why) in _RIGHTS.items():
        jobs = [job for job in file.jobs if any("aioncall" in s.run and command in s.run for s in job.steps)]
        for job in jobs:
            has = job.permissions
            if isinstance(has, dict) and has.get(right) != "write":
                what = f"lacks the right {right}: write"
                yield Finding(check, level, what, why, f"permissions: {{{right}: write}}", _shown(file))


def _keys(file: WorkflowFile, patient: Patient, check: str) -> Iterator[Said]:
    """Say which keys of providers that an evalset really asks never reach its run."""
    asked = {model.partition("/")[0] for one in patient.prepared for model in models_of(one)}
    config = patient.settings.config
    used = config.model_copy(update={"providers": {n: p for n, p in config.providers.items() if n in asked}})
    yield from _missing(
        file,
        check,
        key_variables(used),
        "its provider cannot be asked; a run without a key is never green",
        level="must",
    )


def _channels(file: WorkflowFile, patient: Patient) -> Iterator[Said]:
    named = notifier_variables(patient.settings.config)
    why = "a tier is routed there: its pages are not delivered, and the step fails"
    yield from _missing(file, "daily run", named, why, level="must")
    beat = patient.settings.config.monitors.heartbeat_url_env
    if beat:
        yield from _missing(file, "daily run", [beat], "the heartbeat is never asked", level="should")


def _history(file: WorkflowFile, patient: Patient) -> Iterator[Said]:
    branch = patient.settings.config.monitors.history
    commands = [s.run for s in file.steps if "aioncall monitor" in s.run or "publish issues" in s.run]
    if any("--history" not in command for command in commands):
        why = "it would keep the history on a machine that is thrown away"
        fix = f"--history {branch} at aioncall monitor and at aioncall publish issues"
        yield Finding("daily run", "must", "does not name the history", why, fix, _shown(file))


def _missing(
    file: WorkflowFile, check: str, names: Iterable[str], why: str, *, level: Level
) -> Iterator[Said]:
    given = {name for step in file.steps for name in step.env}
    origin = written_as(file.text)
    for name in names:
        if name not in given:
            line = f"env: {name}: ${{{{ secrets.{name} }}}} at the step"
            # A secret of an environment reaches the jobs that name it, and no others.
            place = next((job.environment for job in file.jobs if job.environment), "")
            if origin is not None:
                line, place = f"{_UPDATE} (or by hand: {line})", ENVIRONMENT
            fix = f"{line}, and: {secret_command(name, place)}"
            yield Finding(check, level, f"is not given {name}", why, fix, _shown(file))


def _whole(file: WorkflowFile, patient: Patient) -> Iterator[Said]:
    """Say what concerns the file as such: written by an older version, or not where GitHub looks."""
    shown = _shown(file)
    written = written_as(file.text)
    if written is not None and written.version < VERSION:
        why = f"it was written as version {written.version}, and this package writes version {VERSION}"
        fix = f"{_WRITE} shows what is new; {_UPDATE} takes it, and git diff shows what of it was yours"
        yield Finding("workflows", "should", f"{written.name} is older than this package", why, fix, shown)
    top = patient.place.top
    if git.commit_of(top) is None:
        return
    if not git.is_tracked(top, file.path):
        why = "GitHub knows nothing of it"
        yield Finding(
            "workflows", "must", "is not committed", why, f"git add {shown}, commit and push", shown
        )
        return
    branch = git.default_branch(top)
    if branch and "pull_request" not in file.triggers and not git.file_at(top, f"origin/{branch}", file.path):
        why = f"schedule and workflow_run start on the default branch alone, and {branch} does not have it"
        yield Finding(
            "workflows", "must", "is not on the default branch", why, f"merge it into {branch}", shown
        )


def look_at_owners(patient: Patient) -> Iterator[Said]:
    """Say whether somebody has to look at a changed baseline."""
    top, folder = patient.place.top, patient.place.folder
    owner = git.code_owner(top, f"{folder}evalsets/baselines/any.jsonl")
    if owner is not None:
        yield Fine("code owners", f"baselines belong to {owner}")
        return
    someone = next((one.evalset.owner for one in patient.prepared), "@TEAM")
    lines = codeowner_lines(patient.root, someone) or [f"/{folder}evalsets/baselines/ @TEAM"]
    yield Finding(
        "code owners",
        "should",
        "nobody owns the baselines",
        "whoever opens a pull request may accept its own regression without anybody who is on call for it",
        f"add the line `{lines[0]}`, and require review of code owners in the branch's rules",
        ".github/CODEOWNERS",
    )
