"""Files as they were at a commit, written to a folder of their own: the user's tree is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from ..errors import UsageError

_TIMEOUT_S = 120
_LARGEST = 512 * 1024 * 1024
_FILE, _RUNNABLE, _LINK = "100644", "100755", "120000"


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    blob: str
    size: int


@contextmanager
def tree_at(start: Path, commit: str) -> Iterator[CommitTree]:
    """Give the files of a commit, to be written to a temporary folder that goes with the block."""
    with TemporaryDirectory(prefix="aioncall-", ignore_cleanup_errors=True) as folder:
        yield CommitTree(start, commit, folder=Path(folder).resolve())


class CommitTree:
    """The files of one commit. Raises UsageError where git does not answer.

    top     the folder of the working tree that git names
    folder  where `export` writes; the same layout as below `top`
    """

    def __init__(self, start: Path, commit: str, *, folder: Path) -> None:
        self._start = start
        self.top = Path(os.fsdecode(_git(start, "rev-parse", "--show-toplevel").rstrip(b"\n")))
        self.folder = folder
        self._entries = dict(_entries(_git(self.top, "ls-tree", "-r", "-z", "--long", "--full-tree", commit)))
        self._written: set[str] = set()

    def name_of(self, path: Path) -> str | None:
        """Return the name in the commit of a path of the working tree; None where it lies outside."""
        # The folder is resolved and the name is not: a link in the tree is an entry of its own.
        for candidate in (path.absolute(), path.parent.resolve() / path.name):
            for top in (self.top, self.top.resolve()):
                name = os.path.relpath(candidate, top)
                if name == ".":
                    return ""
                if not name.startswith("..") and not os.path.isabs(name):  # noqa: PTH117 - relpath is text
                    return Path(name).as_posix()
        return None

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self, *, below: str = "", suffixes: tuple[str, ...] = ("",)) -> list[str]:
        """Return the files below a folder, "" for all, whose names end with one of `suffixes`."""
        start = f"{below}/" if below else ""
        return [name for name in self._entries if name.startswith(start) and name.endswith(suffixes)]

    def export(self, names: Iterable[str]) -> None:
        """Write files of the commit into `folder`, each once; what is no file there is passed over.

        A link is written where it points into the tree, after all files, and what it points to with it.
        """
        wanted: dict[str, _Entry] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            entry = self._entries.get(name)
            if entry is None or name in self._written or name in wanted or not _is_plain(name):
                continue
            wanted[name] = entry
            if entry.mode == _LINK:
                target = self._linked(name, entry)
                waiting += [target] if target in self._entries else self.names(below=target or "\0")
        self._written.update(wanted)
        files = {name: entry for name, entry in wanted.items() if entry.mode in (_FILE, _RUNNABLE)}
        self._write(files)
        for name, entry in wanted.items():
            if entry.mode == _LINK and self._linked(name, entry) is not None:
                self._link(name, entry)

    def borrow(self, path: Path) -> None:
        """Write a file of the working tree that git does not keep: generated, ignored, of a submodule."""
        name = self.name_of(path)
        place = self.folder / name if name else None
        if place is not None and name not in self._entries and path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)

    def _linked(self, name: str, entry: _Entry) -> str | None:
        """Return the name in the tree that a link points to, or None where it points elsewhere."""
        target = os.fsdecode(_git(self.top, "cat-file", "blob", entry.blob)) if entry.size < 4096 else "/"
        found = os.path.normpath(PurePosixPath(name).parent / target)
        return None if target.startswith("/") or found.startswith("..") else Path(found).as_posix()

    def _link(self, name: str, entry: _Entry) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(place):
            place.symlink_to(os.fsdecode(_git(self.top, "cat-file", "blob", entry.blob)))

    def _write(self, files: dict[str, _Entry]) -> None:
        """Read all files through one git process; one blob at a time is in memory."""
        small = {name: entry for name, entry in files.items() if entry.size <= _LARGEST}
        if not small:
            return
        command = ["git", "cat-file", "--batch"]
        with subprocess.Popen(  # noqa: S603 - a fixed program, arguments never through a shell
            command, cwd=self.top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as git:
            assert git.stdin is not None and git.stdout is not None  # noqa: S101 - both are pipes
            for name, entry in small.items():
                git.stdin.write(f"{entry.blob}\n".encode())
                git.stdin.flush()
                content = _next_blob(git.stdout)
                if content is None:
                    git.kill()
                    raise UsageError(
                        f"git has no content for {name} as it was; in a partial clone, fetch it first"
                    )
                place = self.folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                # On a disk that knows no case, a link and a folder of a forged tree may share a name.
                if place.parent.resolve() == place.parent and not place.is_symlink():
                    place.write_bytes(content)
            git.stdin.close()


def _next_blob(stream: IO[bytes]) -> bytes | None:
    """Read one answer of `git cat-file --batch`; None where git has no such blob."""
    header = stream.readline().split()
    if len(header) != 3 or header[1] != b"blob":
        return None
    content = stream.read(int(header[2]))
    stream.read(1)
    return content


def _entries(listing: bytes) -> Iterator[tuple[str, _Entry]]:
    """Yield the files and links of `git ls-tree -r -z --long`; submodules are no files."""
    for line in listing.split(b"\0"):
        facts, tab, name = line.partition(b"\t")
        words = facts.split()
        if tab and len(words) == 4 and words[1] == b"blob":
            yield os.fsdecode(name), _Entry(words[0].decode(), words[2].decode(), int(words[3]))


def _is_plain(name: str) -> bool:
    """Refuse names that would leave the folder; git itself makes none, a forged tree may."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or part.casefold() == ".git" for part in parts)


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments never through a shell
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git did not answer: {type(error).__name__}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(f"git {arguments[0]} failed: {said[-1] if said else 'no reason given'}")
    return done.stdout
