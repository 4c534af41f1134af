"""A history on an orphan branch: one file a run, pushed by many machines, none of them lost.

Nothing is checked out. A bare repository of our own holds the branch's objects, and is a cache: it may be
deleted at any time. What was written here and is not shared yet lies beside it (`overlay`). The user's
working tree, index and configuration are read, and never touched.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ...errors import StoreError, UsageError
from ..text import log_line
from .folder import HistoryFolder
from .locks import locked
from .names import file_stem
from .overlay import Overlay
from .pushing import PUSHES, Pushing
from .reading import MAX_FILES
from .remote import Remote, find_remote
from .runner import Git, GitFailed, Step, no_step

_WAIT_S: Final = 300.0
_PLAIN_FILES = (b"100644", b"100755")


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits where git has nobody configured."""

    name: str = "aioncall"
    email: str = "aioncall@localhost"


@dataclass(frozen=True, slots=True)
class _Blob:
    path: str
    blob: str
    size: int


class HistoryBranch(HistoryFolder):
    """Entries and records of a history on a branch.

    folder      ours: `repository` (bare, a cache), `new` and `was` (not shared yet), `state.json`
    branch      its name; the branch holds nothing but the history
    repository  the user's, or a folder in it: its remote is where the branch is shared
    environ     the environment that git is given
    token       what GitHub Actions gave the job; used where checkout left no rights
    step        called before every step with its name; a test ends the process there
    pause       waits so many seconds between two tries

    `sync` fetches, puts what is new on top, and pushes: five tries with a random wait, never by force. Raises
    UsageError where there is no repository or the branch holds something else, StoreError where it is not
    shared (exit 7); what was written stays, and goes out with the next `sync`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        branch: str,
        repository: Path,
        environ: Mapping[str, str],
        token: str = "",
        server_url: str = "https://github.com",
        author: Author | None = None,
        step: Step = no_step,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(folder)
        self.branch = branch
        self._repository = repository
        self._environ = environ
        self._token = token
        self._server_url = server_url
        self._author = author or Author()
        self._step = step
        self._pause = pause or (lambda seconds: time.sleep(seconds))
        self._overlay = Overlay(folder)
        self._bare = folder / "repository"
        self._remote: Remote | None = None
        self._listing: dict[str, str] | None = None
        self.where = f"branch {log_line(branch, 80)}"
        _refuse_name(branch, Git(("-C", str(repository)), environ=environ))

    @property
    def pending(self) -> tuple[str, ...]:
        """The files that are written here and not on the branch yet."""
        return tuple(one.path for one in self._overlay.pending())

    @property
    def is_there(self) -> bool:
        """Tell whether the branch was there when it was fetched, or something waits to be pushed to it."""
        ref = f"refs/remotes/aioncall/{self.branch}^{{commit}}"
        if self._overlay.pending():
            return True
        is_made = (self._bare / "HEAD").is_file()
        return is_made and self._local().ask("rev-parse", "--verify", "--quiet", ref).code == 0

    @property
    def shared_on(self) -> str:
        """What people call the place where the branch is shared."""
        return self._told_remote().shown

    def branches(self) -> tuple[str, ...]:
        """Return the names of all branches there. Raises StoreError where it cannot be reached."""
        with locked(self.path / "sync.lock", wait_s=_WAIT_S):
            return self._pushing().branches()

    def sync(self) -> None:
        """Fetch what others wrote, put what was written here on top, and push it."""
        last = self._tried(lambda pushing: pushing.once())
        if last:
            raise StoreError(
                f"{self.where} was not pushed in {PUSHES} tries: {last}. Nothing is lost: run this again"
            )

    def fetch(self) -> None:
        """Fetch what others wrote, and push nothing: reading needs no right to write."""
        last = self._tried(_fetch_once)
        if last:
            raise StoreError(f"{self.where} was not fetched in {PUSHES} tries: {last}")

    def _tried(self, once: Callable[[Pushing], bool]) -> str:
        """Try until it is done; return "", or what the last try met."""
        made_anew = False
        try:
            with locked(self.path / "sync.lock", wait_s=_WAIT_S):
                pushing = self._pushing()
                for number in range(PUSHES):
                    if number:
                        # Several jobs that met once would meet again, were they to wait alike.
                        self._pause(random.SystemRandom().uniform(0.2, 1.0) * 2.0 ** (number - 1))
                    try:
                        if once(pushing):
                            return ""
                    except GitFailed as error:
                        if made_anew:
                            raise
                        # Our repository is a cache; what is not shared lies beside it.
                        made_anew = True
                        shutil.rmtree(self._bare, ignore_errors=True)
                        pushing = self._pushing()
                        pushing.last_refusal = str(error)
                return pushing.last_refusal
        except OSError as error:
            where = error.filename or self.path
            raise StoreError(f"{where}: cannot be written: {error.strerror or error}") from error

    def _pushing(self) -> Pushing:
        self._listing = None
        remote = self._told_remote()
        git = Git(
            ("--git-dir", str(self._bare)),
            environ=self._environ,
            config=(*remote.config, *self._identity(remote)),
            hidden=remote.hidden,
            step=self._step,
        )
        self._make_repository(remote)
        return Pushing(
            git,
            overlay=self._overlay,
            branch=self.branch,
            remote=remote,
            index=self.path / "index",
            step=self._step,
            note=self._notes.append,
        )

    def _told_remote(self) -> Remote:
        if self._remote is None:
            self._remote = find_remote(
                self._repository, environ=self._environ, token=self._token, server_url=self._server_url
            )
            self.where = f"branch {log_line(self.branch, 80)} of {self._remote.shown}"
            if self._remote.is_own:
                self._notes.append(
                    f"this repository has no remote: the history is on the local branch "
                    f"{log_line(self.branch, 80)} only"
                )
        return self._remote

    def _identity(self, remote: Remote) -> tuple[tuple[str, str], ...]:
        """Return whom to commit as: git's own where it has one, else ours."""
        ours = {"user.name": self._author.name, "user.email": self._author.email}
        return tuple((key, value or ours[key]) for key, value in remote.identity)

    def _make_repository(self, remote: Remote) -> None:
        """Make our bare repository, in one step: a half-made one never stands where it is looked for."""
        if (self._bare / "HEAD").is_file() and (self._bare / "objects").is_dir():
            self._remove_locks()
            return
        partial = self.path / "repository.partial"
        for rest in (partial, self._bare):
            shutil.rmtree(rest, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        git = Git(("-C", str(self.path)), environ=self._environ, step=self._step)
        git.must(
            "init",
            "--quiet",
            "--bare",
            "--template=",
            f"--object-format={remote.object_format}",
            partial.name,
        )
        self._step("rename")
        partial.rename(self._bare)

    def _remove_locks(self) -> None:
        """Remove lock files that a git which was killed has left; nobody else is at work here."""
        for path in [
            *self._bare.glob("*.lock"),
            *self._bare.glob("refs/**/*.lock"),
            *self.path.glob("index*"),
        ]:
            path.unlink(missing_ok=True)

    # --- reading and writing, without the network

    def _write(self, path: str, text: str) -> bool:
        if self._listing is None:
            self._listing = {one.path: one.blob for one in self._tree("")}
        on_branch = self._listing.get(path)
        raw = text.encode()
        place = self._overlay.new / path
        try:
            if place.is_file() and place.read_bytes() == raw:
                return False
            if not place.is_file() and on_branch is not None and self._blob(on_branch) == raw:
                return False
            self._step("write")
            self._overlay.put(path, text, replaces=on_branch or "")
        except OSError as error:
            raise StoreError(f"{place}: cannot be written: {error.strerror or error}") from error
        return True

    def _files(self, top: str, *, limit: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Yield the files of the branch, each as it was written here where that is newer."""
        new = dict(self._on_disk(self._overlay.new, top, limit=limit))
        with _Blobs(self._local()) as blobs:
            for one in self._tree(top):
                if one.path in new or not one.path.endswith(".json"):
                    continue
                if one.size > limit:
                    self._note(one.path, f"is larger than {limit // 1024} KiB; not read")
                    continue
                yield one.path, _OnBranch(blobs, one.blob)
        yield from sorted(new.items())

    def _tree(self, path: str) -> Iterator[_Blob]:
        """Yield the plain files of the branch at or below a path, as it was fetched last."""
        if not (self._bare / "HEAD").is_file():
            return
        ref = f"refs/remotes/aioncall/{self.branch}"
        listed = self._local().ask(
            "ls-tree", "-r", "-z", "--long", "--full-tree", ref, *(["--", path] if path else [])
        )
        if listed.code:
            return
        for number, line in enumerate(listed.out.split(b"\0")):
            if number == MAX_FILES:
                self._note(path, f"holds more than {MAX_FILES:,} files; the rest is not read")
                return
            facts, tab, name = line.partition(b"\t")
            words = facts.split()
            if not tab or len(words) != 4:
                continue
            shown = name.decode("utf-8", "replace")
            if words[0] not in _PLAIN_FILES:
                self._note(shown, "is a link or a submodule; not read")
                continue
            yield _Blob(shown, words[2].decode(), int(words[3]))

    def _blob(self, blob: str) -> bytes | None:
        answer = self._local().ask("cat-file", "blob", blob)
        return answer.out if answer.code == 0 else None

    def _local(self) -> Git:
        """Return git in our repository, without anything that reaches a remote."""
        return Git(("--git-dir", str(self._bare)), environ=self._environ)


def _fetch_once(pushing: Pushing) -> bool:
    try:
        pushing.fetch()
    except GitFailed:
        raise
    except StoreError as error:
        if pushing.is_hopeless:
            raise
        pushing.last_refusal = str(error)
        return False
    return True


class _OnBranch:
    """Reads one file of the branch when it is asked to."""

    def __init__(self, blobs: _Blobs, blob: str) -> None:
        self._blobs = blobs
        self._blob = blob

    def __call__(self) -> bytes:
        return self._blobs.read(self._blob)


class _Blobs:
    """Reads many blobs through one git process, one at a time in memory."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def read(self, blob: str) -> bytes:
        """Return a blob. Raises ValueError where git does not have it."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program, never through a shell
                self._git.command("cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self._git.environ),
            )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101 - both are pipes
        self._process.stdin.write(f"{blob}\n".encode())
        self._process.stdin.flush()
        return _next_blob(self._process.stdout)


def _next_blob(stream: IO[bytes]) -> bytes:
    header = stream.readline().split()
    if len(header) != 3 or header[1] != b"blob":
        raise ValueError("git does not have its content; fetch again: aioncall history pull")
    content = stream.read(int(header[2]))
    stream.read(1)
    return content


def _refuse_name(branch: str, git: Git) -> None:
    if branch.startswith("-") or git.ask("check-ref-format", f"refs/heads/{branch}").code:
        raise UsageError(
            f"{log_line(branch, 80)!r} is no name of a branch; a folder is written with a slash: ./history/"
        )


def branch_folder(store: Path, branch: str) -> Path:
    """Return where a branch's working folder stands in the store."""
    return store / "history" / "branches" / file_stem(branch)
