"""One try to share a branch: fetch, put what is new on top of what is there, push without force.

Every step can be the last one of a killed process. What decides on the next start: files in `new/` are not
shared, unless the commit named in `state.json` as `pushing` is on the branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ...errors import StoreError, UsageError
from ..text import log_line
from ..yaml_text.json_lines import read_json
from .merging import merged_record
from .names import RUNS
from .overlay import Overlay, Pending, State
from .reading import record_text
from .refusals import refusal_of
from .remote import NAME, Remote
from .runner import Git, GitFailed, Step, last_words

PUSHES: Final = 5
_SHOWN = 7
_MARK: Final = ".aioncall-history"
"""A file that tells the branch from one with code, before the first run is on it."""
_README = """# History of the evals

This branch is written by `aioncall`: one file a run under `runs/`, scores and counts, no answers. It shares
no commit with the code. Do not merge it, and do not edit it; protect it from deletion and from force pushes.
"""


class Pushing:
    """Shares one branch; `once` is one try.

    last_refusal  why the last try did not do it
    is_hopeless   trying again would change nothing
    """

    def __init__(
        self,
        git: Git,
        *,
        overlay: Overlay,
        branch: str,
        remote: Remote,
        index: Path,
        step: Step,
        note: Callable[[str], None],
    ) -> None:
        self._git = git
        self._overlay = overlay
        self._branch = branch
        self._remote = remote
        self._index = index
        self._step = step
        self._note = note
        self._ref = f"refs/remotes/{NAME}/{branch}"
        self.last_refusal = ""
        self.is_hopeless = False

    def once(self) -> bool:
        """Try once; False where another try may do it. Raises StoreError where none will, GitFailed where
        our own repository does not do its part."""
        try:
            tip = self.fetch()
        except GitFailed:
            raise
        except StoreError as error:
            if self.is_hopeless:
                raise
            self.last_refusal = str(error)
            return False
        pending = self._overlay.pending()
        if not pending:
            return True
        # A branch that is gone is made again from what is known of it.
        base = tip or self._known()
        written, shared = self._blobs_of(pending, base)
        tree = self._tree_with(shared, base)
        if tip is not None and tree == self._git.must("rev-parse", f"{tip}^{{tree}}").text:
            self._forget(tip, written)
            return True
        commit = self._commit(tree, tip, written)
        self._keep(State(base=self._overlay.state().base, pushing=commit, files=written))
        if not self._push(commit):
            return False
        self._git.must("update-ref", self._ref, commit)
        self._forget(commit, written)
        if base is None:
            self._note(
                f"branch {log_line(self._branch, 80)} was not there on {self._remote.shown} and is made now: "
                "the history begins here. One that was there before is lost, unless aioncall history push or "
                "rebuild brings it back"
            )
        return True

    def fetch(self) -> str | None:
        """Return the newest commit of the branch where it is shared, None where there is none; keep it here.

        What a push that was cut short had shared is forgotten here; a branch that somebody rewrote is told.
        """
        tip = self._told_tip()
        if tip is not None and tip != self._known():
            tip = self._fetched()
        self._refuse_foreign(tip)
        state = self._overlay.state()
        self._tell_rewritten(state.base, tip)
        if state.pushing is not None:
            if tip is not None and self._is_on(state.pushing, tip):
                self._step("drop")
                self._overlay.drop(state.files)
            self._keep(State(base=state.base))
        if tip is not None and self._overlay.state().base != tip:
            self._keep(State(base=tip))
        return tip

    def branches(self) -> tuple[str, ...]:
        """Return the names of all branches where this one is shared."""
        asked = self._git.ask("ls-remote", "--heads", NAME)
        if asked.code:
            raise self._out_of_reach(asked.complaint)
        names = [line.partition("\t")[2].removeprefix("refs/heads/") for line in asked.text.splitlines()]
        return tuple(sorted(name for name in names if name))

    def _told_tip(self) -> str | None:
        """Ask the remote where the branch is."""
        ref = f"refs/heads/{self._branch}"
        asked = self._git.ask("ls-remote", NAME, ref)
        if asked.code:
            raise self._out_of_reach(asked.complaint)
        for line in asked.text.splitlines():
            tip, _, name = line.partition("\t")
            if name == ref:
                return tip
        return None

    def _fetched(self) -> str:
        """Fetch the branch; of one that was never seen here, the newest commit alone: it holds every file."""
        state = self._overlay.state()
        fresh = self._known() is None and state.base is None and state.pushing is None
        answer = self._git.ask(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--update-shallow",
            *(["--depth=1"] if fresh else []),
            NAME,
            f"+refs/heads/{self._branch}:{self._ref}",
        )
        if answer.code:
            unreachable = self._out_of_reach(answer.complaint)
            # The remote has just told where the branch is: it may be our side that cannot take it.
            raise unreachable if self.is_hopeless else GitFailed(str(unreachable))
        return self._git.must("rev-parse", self._ref).text

    def _known(self) -> str | None:
        """Return the newest commit of the branch that is here."""
        answer = self._git.ask("rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}")
        return answer.text if answer.code == 0 and answer.text else None

    def _is_on(self, commit: str, tip: str) -> bool:
        return commit == tip or self._git.ask("merge-base", "--is-ancestor", commit, tip).code == 0

    def _tell_rewritten(self, base: str | None, tip: str | None) -> None:
        """Say that what was known to be shared is not there any more."""
        if base is None or base == tip or (tip is not None and self._is_on(base, tip)):
            return
        where = f"branch {log_line(self._branch, 80)}"
        if tip is None:
            self._note(
                f"{where} is gone from {self._remote.shown} (it was at {base[:_SHOWN]}): with the next entry "
                "it is made again from what is known here"
            )
            return
        gone = sorted(set(self._files_of(base)) - set(self._files_of(tip)))
        lost = (
            f"; {len(gone)} files that were on it are not there now, {log_line(gone[0], 120)} first"
            if gone
            else ""
        )
        self._note(
            f"{where} was rewritten on {self._remote.shown}: {base[:_SHOWN]} is no part of {tip[:_SHOWN]}"
            f"{lost}. What is there now holds; what was not pushed yet is put on top of it"
        )

    def _refuse_foreign(self, tip: str | None) -> None:
        """Refuse a branch that holds something else: code is not to be mixed with a history."""
        if tip is None:
            return
        listed = self._git.must("ls-tree", "-z", "--name-only", "--full-tree", tip).out
        names = {name.decode("utf-8", "replace") for name in listed.split(b"\0") if name}
        if names - {"README.md"} and not names & {RUNS, _MARK}:
            self.is_hopeless = True
            held = ", ".join(log_line(one, 40) for one in sorted(names)[:3])
            raise UsageError(
                f"branch {log_line(self._branch, 80)} of {self._remote.shown} holds something else ({held}); "
                "a history needs a branch of its own, by default aioncall-history"
            )

    def _files_of(self, commit: str) -> dict[str, str]:
        """Return the blob of each file of a commit; nothing where the commit is not here."""
        listed = self._git.ask("ls-tree", "-r", "-z", "--full-tree", commit)
        found = {}
        for line in listed.out.split(b"\0") if listed.code == 0 else []:
            facts, tab, name = line.partition(b"\t")
            if tab:
                found[name.decode("utf-8", "replace")] = facts.split()[2].decode()
        return found

    def _blobs_of(
        self, pending: Sequence[Pending], base: str | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Write what is pending as blobs; return those as written here, and those to be shared.

        They differ where others changed a record meanwhile: what both made of it is shared.
        """
        paths = "".join(f"{one.place.absolute()}\n" for one in pending)
        hashed = self._git.must("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths.encode())
        written = dict(zip((one.path for one in pending), hashed.text.split("\n"), strict=True))
        there = self._files_of(base) if base else {}
        shared = dict(written)
        for one in pending:
            theirs = there.get(one.path)
            if theirs in (None, one.was, written[one.path]) or one.path.startswith(f"{RUNS}/"):
                continue
            merged = self._merged(one.was, written[one.path], str(theirs))
            if merged is not None:
                shared[one.path] = self._git.must("hash-object", "-w", "--stdin", stdin=merged).text
        return written, shared

    def _merged(self, was: str | None, ours: str, theirs: str) -> bytes | None:
        """Return a record as both sides made it; None where one is no record: then ours holds."""
        try:
            mine, other = read_json(self._content(ours)), read_json(self._content(theirs))
            base = self._git.ask("cat-file", "blob", was) if was else None
            known = read_json(base.out)["data"] if base is not None and base.code == 0 else None
            return record_text(str(mine["name"]), merged_record(known, mine["data"], other["data"])).encode()
        except (ValueError, KeyError, TypeError):
            return None

    def _content(self, blob: str) -> bytes:
        return self._git.must("cat-file", "blob", blob).out

    def _tree_with(self, files: Mapping[str, str], base: str | None) -> str:
        """Return the tree of `base` with files put into it."""
        self._index.unlink(missing_ok=True)
        lines = dict(files)
        if base is None:
            for name, text in (("README.md", _README), (_MARK, "format: 1\n")):
                lines[name] = self._git.must("hash-object", "-w", "--stdin", stdin=text.encode()).text
        self._git.must("read-tree", base or "--empty", index=self._index)
        told = "".join(f"100644 {blob}\t{path}\n" for path, blob in sorted(lines.items()))
        self._git.must("update-index", "--index-info", stdin=told.encode(), index=self._index)
        tree = self._git.must("write-tree", index=self._index).text
        self._index.unlink(missing_ok=True)
        return tree

    def _commit(self, tree: str, base: str | None, files: Mapping[str, str]) -> str:
        """Commit a tree on top of `base`; without one it is the first of an orphan branch."""
        runs = sum(path.startswith(f"{RUNS}/") for path in files)
        told = [f"{n} {word}" for n, word in ((runs, "runs"), (len(files) - runs, "records")) if n]
        parent = ["-p", base] if base else []
        message = f"aioncall: {', '.join(told)} [skip ci]"
        return self._git.must("commit-tree", tree, *parent, "-m", message).text

    def _push(self, commit: str) -> bool:
        """Push without force; False where another try may do it. Raises StoreError where none will."""
        answer = self._git.ask(
            "push", "--porcelain", "--no-verify", NAME, f"{commit}:refs/heads/{self._branch}"
        )
        if answer.code == 0:
            return True
        said = f"{answer.complaint}\n{self._git.scrubbed(answer.text)}"
        refusal = refusal_of(said, branch=log_line(self._branch, 80), remote=self._remote.shown)
        self.last_refusal = last_words(said)
        if refusal is not None:
            self.is_hopeless = True
            raise StoreError(refusal)
        return False

    def _out_of_reach(self, complaint: str) -> StoreError:
        refusal = refusal_of(complaint, branch=log_line(self._branch, 80), remote=self._remote.shown)
        if f"'{NAME}' does not appear to be a git repository" in complaint:
            refusal = "a history on a branch needs git 2.31 or later; upgrade git"
        self.is_hopeless = refusal is not None
        return StoreError(refusal or f"{self._remote.shown} cannot be reached: {last_words(complaint)}")

    def _forget(self, commit: str, written: Mapping[str, str]) -> None:
        """Forget here what is on the branch: not before it is."""
        self._step("drop")
        self._overlay.drop(written)
        self._keep(State(base=commit))

    def _keep(self, state: State) -> None:
        self._step("state")
        self._overlay.keep(state)
