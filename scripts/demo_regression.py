"""Make four changes to the handbook's helpdesk, one after the other, and hold each to its expected outcome.

    python scripts/demo_regression.py                    replay; no model, no network
    python scripts/demo_regression.py --only index -v    one change, with all that pytest prints
    python scripts/demo_regression.py --record           ask the model again (scripts/serve_model.py runs)

Each change is made in a copy of the project under .aioncall/demo, where its report stays. Retrieval runs
live; the answers of the model to what a change asks anew come from examples/helpdesk/recordings.
Exits 0 when every outcome is the expected one, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVALSET = "evalsets/oncall-handbook.eval.yaml"
CASSETTE = "evalsets/cassettes/oncall-handbook.jsonl"
RECORDINGS = ROOT / "examples" / "helpdesk" / "recordings"
TREES = ROOT / ".aioncall" / "demo"
COPIED = ("aioncall.yaml", "prompts", "examples", "evalsets", "docs/handbook")


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace text in one file of the copy; `old` has to be there, or the demo shows something else."""

    file: str
    old: str
    new: str

    def make(self, tree: Path) -> None:
        """Edit the file; SystemExit where it no longer holds the old text."""
        path = tree / self.file
        text = path.read_text(encoding="utf-8")
        if self.old not in text:
            raise SystemExit(f"demo_regression: {self.file} no longer holds {self.old!r}; mend this script")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what it is, how it is made, and what has to come of it.

    `asks` selects the cases whose requests it changes (pytest's -m), `replaces` says that its recordings
    stand in for the committed ones instead of beside them. `shows` and `hides` are patterns that the terminal
    has to show, or must not.
    """

    name: str
    title: str
    edits: tuple[Edit, ...]
    exit_code: int
    shows: tuple[str, ...]
    hides: tuple[str, ...] = ()
    prompt: str | None = None
    recorded: bool = False
    replaces: bool = False
    asks: str | None = None


CHANGES = (
    Change(
        name="friendlier",
        title='A prompt edit, "make it friendlier": a kinder tone, and a kinder example',
        prompt="prompts/answer-friendlier.md",
        edits=(),
        recorded=True,
        exit_code=1,
        shows=(r"^gate REGRESSED", r"^key_fact +\d.* REGRESSED$", r"prompts/answer\.md"),
        hides=(r"^retrieval .*(REGRESSED|suspected)",),
    ),
    Change(
        name="index",
        title="An index change, one condition: words of 18 letters and more are noise, leave them out",
        edits=(
            Edit(
                "examples/helpdesk/index.py",
                "if word not in STOPWORDS]",
                "if word not in STOPWORDS and len(word) < 18]",
            ),
        ),
        recorded=True,
        asks="aioncall(slice='shape=alert-text')",
        exit_code=1,
        shows=(
            r"^gate REGRESSED",
            r"^retrieval +shape=alert-text .* REGRESSED$",
            r"examples/helpdesk/index\.py",
        ),
        hides=(
            r"^\w+ +\d.*REGRESSED",
            r"^retrieval +(persona=|shape=(?!alert-text)).*REGRESSED",
            r"BROKEN",
        ),
    ),
    Change(
        name="again",
        title="No change: the same build asked again, three fresh epochs (A/A)",
        edits=(),
        recorded=True,
        replaces=True,
        exit_code=0,
        shows=(r"^gate pass", r"^retrieval +\d.* pass$"),
        hides=(r"REGRESSED", r"BROKEN", r"BELOW MIN", r"suspected", r"changed since"),
    ),
    Change(
        name="refactoring",
        title="A harmless refactoring: a function of the index gets a better name",
        edits=(Edit("examples/helpdesk/index.py", "weighted(", "repeat_identifiers("),),
        exit_code=0,
        shows=(r"^gate pass", r"^key_fact +\d.* unchanged$", r"examples/helpdesk/index\.py"),
        hides=(r"REGRESSED", r"BROKEN", r"suspected"),
    ),
)


def make_tree(change: Change) -> Path:
    """Copy what the demo needs, make the change, and return the copy."""
    tree = TREES / change.name
    shutil.rmtree(tree, ignore_errors=True)
    for name in COPIED:
        source, target = ROOT / name, tree / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # Without a file of its own pytest would take the settings of the project around the copy.
    (tree / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    if change.prompt is not None:
        shutil.copy2(ROOT / change.prompt, tree / "prompts" / "answer.md")
    for edit in change.edits:
        edit.make(tree)
    return tree


def run_pytest(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the plugin in the copy, as a person would, away from CI's and the caller's settings."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIONCALL_", "PYTEST_", "GITHUB_")) and name != "CI"
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", "--aioncall", *arguments],
        cwd=tree,
        env={**environment, "COLUMNS": "120", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def replay(change: Change, tree: Path) -> tuple[str, list[str]]:
    """Run the changed project from recordings; return what pytest printed, and what is not as expected."""
    if change.recorded:
        cassette = tree / CASSETTE
        fresh = (RECORDINGS / f"{change.name}.jsonl").read_text(encoding="utf-8")
        kept = "" if change.replaces else cassette.read_text(encoding="utf-8")
        cassette.write_text(kept + fresh, encoding="utf-8")
    done = run_pytest(tree, "--aioncall-replay", EVALSET)
    printed = done.stdout + done.stderr
    wrong = []
    if done.returncode != change.exit_code:
        wrong.append(f"exit code {done.returncode}, expected {change.exit_code}")
    wrong += [f"does not show {one}" for one in change.shows if not re.search(one, printed, re.MULTILINE)]
    wrong += [f"shows {one}" for one in change.hides if re.search(one, printed, re.MULTILINE)]
    return printed, wrong


def record(change: Change, tree: Path) -> str:
    """Ask the model what the change asks anew, and keep those answers; return what pytest printed."""
    committed = {json.loads(line)["key"] for line in (tree / CASSETTE).open(encoding="utf-8")}
    (tree / CASSETTE).unlink()
    selected = ("-m", change.asks) if change.asks else ()
    done = run_pytest(tree, "--aioncall-record", *selected, EVALSET)
    printed = done.stdout + done.stderr
    if not (tree / CASSETTE).exists():
        raise SystemExit(f"demo_regression: nothing was recorded for {change.name}\n{printed}")
    lines = (tree / CASSETTE).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if change.replaces or json.loads(line)["key"] not in committed]
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    (RECORDINGS / f"{change.name}.jsonl").write_text("".join(kept), encoding="utf-8")
    return f"{printed}\n{len(kept)} recordings kept for {change.name}\n"


def summary_of(printed: str, tree: Path) -> str:
    """Return the plugin's own part of what pytest printed, its report's path seen from the project."""
    place = tree.relative_to(ROOT).as_posix()
    lines = printed.replace("report: .aioncall/", f"report: {place}/.aioncall/").splitlines()
    starts = [at for at, line in enumerate(lines) if re.fullmatch(r"=+ aioncall =+", line)]
    if not starts:
        return printed
    ends = [at for at in range(starts[-1] + 1, len(lines)) if lines[at].startswith("====")]
    return "\n".join(lines[starts[-1] + 1 : ends[0] if ends else None])


def main() -> int:
    """Make the changes and compare; 0 when all is as expected."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [change.name for change in CHANGES]
    parser.add_argument("--only", choices=names, action="append", help="make this change alone")
    parser.add_argument("--record", action="store_true", help="ask the model again and keep its answers")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all that pytest prints")
    options = parser.parse_args()

    failed = []
    for change in CHANGES:
        if options.only and change.name not in options.only:
            continue
        print(f"\n--- {change.name}: {change.title}", flush=True)
        tree = make_tree(change)
        if options.record:
            if change.recorded:
                print(record(change, tree), flush=True)
            continue
        printed, wrong = replay(change, tree)
        print(printed if options.verbose or wrong else summary_of(printed, tree))
        print(f"--- {change.name}: {'NOT AS EXPECTED: ' + '; '.join(wrong) if wrong else 'as expected'}")
        failed += [change.name] * bool(wrong)
    if failed:
        print(f"\nnot as expected: {', '.join(failed)}")
    elif not options.record:
        print("\nevery change came out as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
