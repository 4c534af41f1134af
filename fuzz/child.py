"""One target under atheris: every finding is told apart and written down, and the search goes on.

    python -m fuzz.child --seconds S --corpus DIR --findings DIR TARGET [SEEDS ...]

atheris ends the process itself, without exit handlers; all that is to be kept is written when it happens.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

LONGEST_INPUT = 4096

with atheris.instrument_imports(include=["pytest_aioncall", "fuzz.readers"]):
    from fuzz import readers

from fuzz import mutations, oracle  # noqa: E402 - the readers are instrumented first


class Findings:
    """The broken promises of one target: the smallest input of each, with where it came up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smallest: dict[str, int] = {}

    def note(self, error: BaseException, raw: bytes) -> None:
        """Keep the input if it is the first or the smallest of its kind."""
        kind = kind_of(error)
        if len(raw) >= self.smallest.get(kind, len(raw) + 1):
            return
        self.smallest[kind] = len(raw)
        self.folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(kind.encode()).hexdigest()[:12]
        (self.folder / name).write_bytes(raw)
        told = "".join(traceback.format_exception(error, limit=-12))
        (self.folder / f"{name}.txt").write_text(
            f"{kind}\n\n{told}", encoding="utf-8", errors="backslashreplace"
        )


def kind_of(error: BaseException) -> str:
    """Name what broke: the type, the promise without its figures, the last line of ours that it passed."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "pytest_aioncall" in frame.filename or frame.filename.endswith("readers.py")
    ]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    said = str(error).split(":")[0] if isinstance(error, oracle.BrokenPromise) else ""
    return f"{type(error).__name__} {''.join(c for c in said if not c.isdigit())} at {place}"


def searcher(reader: readers.Reader, findings: Findings) -> Callable[[bytes], None]:
    """Return what atheris calls for each input."""

    def one_input(raw: bytes) -> None:
        try:
            oracle.run_within(reader.run, raw)
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
            findings.note(error, raw)

    return one_input


def mutator(reader: readers.Reader) -> Callable[[bytes, int, int], bytes]:
    """Return what atheris calls for a new input: half of them libFuzzer's, half that keep the structure."""

    def change(raw: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.4:
            return atheris.Mutate(raw, longest)  # type: ignore[no-any-return]
        return mutations.mutated(raw, rng=rng, name=reader.name, syntax=reader.syntax)[:longest]

    return change


def main() -> None:
    """Search until the time is up; libFuzzer's last lines on stderr tell the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=readers.READERS)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--seed", type=int)
    parser.add_argument("seeds", nargs="*", type=Path)
    given = parser.parse_args()
    reader = readers.READERS[given.target]
    for folder in (given.corpus, given.findings):
        folder.mkdir(parents=True, exist_ok=True)
    reader.run(b"")  # what is imported late is no part of the first input's time
    oracle.limit_memory()
    flags = [
        f"-max_total_time={given.seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={given.findings}/",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        *([] if given.seed is None else [f"-seed={given.seed}"]),
        str(given.corpus),
        *map(str, given.seeds),
    ]
    one_input = searcher(reader, Findings(given.findings))
    atheris.Setup([sys.argv[0], *flags], one_input, custom_mutator=mutator(reader))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
