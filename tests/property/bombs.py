"""Files made to hurt whoever reads them, each with what its refusal has to say. Run as a script: measured.

python bombs.py FOLDER        a line of JSON for each: name, CPU seconds, MiB more at the peak, what was said
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_aioncall.adapters.baseline_store import is_baseline, read_baseline
from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.evalset_files import load_evalset
from pytest_aioncall.adapters.flat_scores import read_flat_scores
from pytest_aioncall.adapters.results.sources import read_side
from pytest_aioncall.adapters.run_store import mend_samples, read_run, read_samples
from pytest_aioncall.adapters.templates import Template
from pytest_aioncall.errors import AioncallError, LoadError

HEAD = "evalset: e\nowner: x\ntarget: replay\nscorers: [exact]\n"
CASES = "cases: [{id: a, input: 1}]\n"
BASELINE = '{"format":1,"evalset":"e","accepted_by":"x","accepted_at":"x","reason":"r","scorers":{}}\n'
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Bomb:
    """`make` lays it into a folder, `read` reads it there; the refusal holds `says` (None: it is read)."""

    make: Callable[[Path], object]
    read: Callable[[Path], object]
    says: str | None


def evalset(folder: Path) -> object:
    return load_evalset(folder / "e.eval.yaml", root=folder)


def written(text: str | bytes, name: str = "e.eval.yaml") -> Callable[[Path], object]:
    raw = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / name).write_bytes(raw)


def yaml(text: str | bytes, says: str) -> Bomb:
    return Bomb(written(text), evalset, says)


def json_lines(text: str | bytes, says: str) -> Bomb:
    def make(folder: Path) -> None:
        written(HEAD + 'include: ["c.jsonl"]\n')(folder)
        written(text, "c.jsonl")(folder)

    return Bomb(make, evalset, says)


def sparse(name: str, size: int = GIB) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return make


def linked(name: str, to: str = "/dev/zero") -> Callable[[Path], object]:
    return lambda folder: (folder / name).symlink_to(to)


def piped(name: str) -> Callable[[Path], object]:
    return lambda folder: os.mkfifo(folder / name)


def incident(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Lay something into the folder of incidents, which no pattern names."""

    def made(folder: Path) -> None:
        written(HEAD + CASES)(folder)
        (folder / "incidents" / "e").mkdir(parents=True)
        make(folder / "incidents" / "e")

    return made


def laughs() -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines)


def merges() -> str:
    lines = ["m0: &m0 {" + ",".join(f"k{i}: 1" for i in range(100)) + "}"]
    lines += [f"m{i}: &m{i} {{<<: [{','.join([f'*m{i - 1}'] * 100)}]}}" for i in range(1, 100)]
    return "\n".join(lines)


def lying_zip(folder: Path) -> None:
    """Lay down 300 MB in 300 KB, in a member whose header says ten bytes."""
    path = folder / "r.eval"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("header.json", "w") as file,
    ):
        for _ in range(300):
            file.write(b" " * 1_000_000)
    raw = bytearray(path.read_bytes())
    entry = raw.rfind(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    path.write_bytes(raw)


def results(folder: Path) -> object:
    return read_side([str(path) for path in sorted(folder.iterdir())], "auto")


def scores(folder: Path) -> object:
    return read_flat_scores(folder / "s.jsonl")


def baseline(folder: Path) -> object:
    is_baseline(folder / "b.jsonl")
    return read_baseline(folder / "b.jsonl")


def samples(folder: Path) -> object:
    return list(read_samples(folder))


def template(text: str, says: str) -> Bomb:
    return Bomb(lambda _: None, lambda _: Template(text, where="p.md").render({"n": 1}), says)


def a_gate_of_strangers() -> str:
    known = "".join(f"- {{id: a{i}, input: 1, slices: {{y{i}: x}}}}\n" for i in range(900))
    asked = ",".join(f"z{i}" for i in range(5000))
    return f"{HEAD}gates: [{{scorer: exact, slices: [{asked}]}}]\ncases:\n{known}"


def a_deep_tree(folder: Path) -> None:
    (folder / "/".join("abcdefghijklmnopqrstuvwx")).mkdir(parents=True)
    written(HEAD + "include: ['" + "**/" * 12 + "*.yaml']\n")(folder)


BOMBS: dict[str, Bomb] = {
    "billion laughs": yaml(laughs(), "e.eval.yaml:6: aliases repeat too much"),
    "merge keys in merge keys": yaml(merges(), "e.eval.yaml:3: aliases repeat too much"),
    "a million merges of nothing": yaml("a:\n" + "  <<: {}\n" * 1_000_000, ":1002: more than 1,000 mappings"),
    "flow lists 3,000 deep": yaml("a: " + "[" * 3000 + "]" * 3000, "e.eval.yaml:1: is nested more than 64"),
    "flow mappings 3,000 deep": yaml("{a: " * 3000, "e.eval.yaml:1: is nested more than 64"),
    "block mappings 3,000 deep": yaml(
        "\n".join(" " * i + "a:" for i in range(3000)), "e.eval.yaml:65: is nested more than 64"
    ),
    "block lists 3,000 deep": yaml("- " * 3000, "e.eval.yaml:1: is nested more than 64"),
    "two million keys": yaml(
        "x:\n" + "  k: 1\n" * 0 + "".join(f"  {i}: 1\n" for i in range(2_000_000)), ":50002: "
    ),
    "a key half a million times": yaml(
        "x:\n" + "  k: 1\n" * 500_000, "e.eval.yaml:53: 50 keys above are set"
    ),
    "half a million endless numbers": yaml("x:\n" + "- .nan\n" * 500_000, ":52: 50 numbers above cannot be"),
    "a number of a million digits": yaml(HEAD + CASES + "epochs: " + "9" * 1_000_000, "1000000 digits"),
    "an anchor as a key": yaml("? &a [1]\n: 2", "e.eval.yaml:1: a key has to be text"),
    "a tag of Python": yaml(
        "a: !!python/object/apply:os.system [x]", "the tag !!python/object/apply:os.system"
    ),
    "NUL bytes": yaml("a: \0", "e.eval.yaml:1: holds a control character"),
    "UTF-16": yaml("a: b".encode("utf-16"), "e.eval.yaml:1: is not UTF-8 (byte 0xff)"),
    "bytes that are no text": yaml(b"a: b\nc: \xc3\x28", "e.eval.yaml:2: is not UTF-8 (byte 0xc3)"),
    "half a character": yaml(b"a: \xed\xa0\x80", "e.eval.yaml:1: is not UTF-8 (byte 0xed)"),
    "tabs for indentation": yaml("a:\n\tb: 1", "e.eval.yaml:2: is not valid YAML: a tab"),
    "a directive after five million lines": yaml("# x\n" * 5_000_000 + "%", ":5000001: YAML directives"),
    "a gigabyte in one line": Bomb(sparse("e.eval.yaml"), evalset, "e.eval.yaml: is larger than 64 MiB"),
    "a folder for a file": Bomb(lambda f: (f / "e.eval.yaml").mkdir(), evalset, "it is a folder"),
    "a device for a file": Bomb(linked("e.eval.yaml"), evalset, "it is a pipe or a device"),
    "a pipe for a file": Bomb(piped("e.eval.yaml"), evalset, "it is a pipe or a device"),
    "no file": Bomb(lambda _: None, evalset, "e.eval.yaml: cannot be read: no such file"),
    "an include of itself": yaml(HEAD + "include: ['e.eval.yaml']\n", "there is no case"),
    "an include outside": Bomb(
        lambda f: (linked("x.yaml", "/etc/hostname")(f), written(HEAD + "include: ['x.yaml']\n")(f)),
        evalset,
        "e.eval.yaml:5: include[0]: 'x.yaml' lies outside the project",
    ),
    "an include of a pipe": Bomb(
        lambda f: (piped("c.jsonl")(f), written(HEAD + "include: ['c.jsonl']\n")(f)),
        evalset,
        "matches no file",
    ),
    "a pipe among incidents": Bomb(
        incident(piped("x.yaml")), evalset, "x.yaml: cannot be read: it is a pipe"
    ),
    "a device among incidents": Bomb(incident(linked("x.yaml")), evalset, "lies outside the project"),
    "a link to itself among incidents": Bomb(
        incident(linked("x.yaml", "x.yaml")), evalset, "too many levels of symbolic links"
    ),
    "twelve stars in a deep tree": Bomb(a_deep_tree, evalset, "has more than 2 '**'"),
    "10,000 unknown keys": yaml(
        HEAD + "".join(f"inptu{i}: 1\n" for i in range(10_000)), "9,980 more unknown"
    ),
    "10,000 cases with unknown keys": yaml(
        HEAD + "cases:\n" + "".join(f"- {{id: a{i}, inptu{i}: 1}}\n" for i in range(10_000)), "more problems"
    ),
    "10,000 cases with one id": yaml(HEAD + "cases:\n" + "- {id: a, input: 1}\n" * 10_000, "more problems"),
    "5,000 unknown slices": yaml(a_gate_of_strangers(), "4,901 more problems"),
    "50,000 slices of one gate": yaml(
        HEAD + "gates: [{scorer: exact, slices: [" + "p," * 50_000 + "]}]\n" + CASES, "more problems"
    ),
    "10,000 slices for each case": yaml(
        HEAD + "defaults: {slices: {" + ",".join(f"k{i}: x" for i in range(10_000)) + "}}\n" + CASES,
        "a case has at most 100",
    ),
    "a line of 200 MB": json_lines(
        b'{"id":"a","input":"' + b"x" * 200_000_000 + b'"}', "c.jsonl:1: is a line of more than 16 MiB"
    ),
    "a gigabyte of nothing in JSON lines": Bomb(
        lambda f: (sparse("c.jsonl")(f), written(HEAD + "include: ['c.jsonl']\n")(f)),
        evalset,
        "c.jsonl: is larger than 512 MiB",
    ),
    "JSON 100,000 deep": json_lines('{"id":"a","input":' + "[" * 100_000, "c.jsonl:1: is "),
    "JSON of a million digits": json_lines('{"id":"a","input":' + "9" * 1_000_000 + "}", "1000000 digits"),
    "JSON with a key twice among 40,000": json_lines(
        "{" + ",".join(f'"k{i}":1' for i in range(40_000)) + ',"k39999":1}', "the key 'k39999' is set twice"
    ),
    "two million lines that are no JSON": json_lines("x\n" * 2_000_000, "901 more problems"),
    "200,000 empty cases": json_lines("{}\n" * 200_000, "c.jsonl:1: cases[0].id: is required"),
    "a configuration without end": Bomb(linked("aioncall.yaml"), load_config, "it is a pipe or a device"),
    "a configuration that is a folder": Bomb(
        lambda f: (f / "aioncall.yaml").mkdir(), load_config, "aioncall.yaml: cannot be read: it is a folder"
    ),
    "scores without end": Bomb(linked("s.jsonl"), scores, "it is a pipe or a device"),
    "scores 100,000 deep": Bomb(
        written("[" * 100_000, "s.jsonl"), scores, "s.jsonl:1: is nested more than 64"
    ),
    "300,000 rows without a score": Bomb(written("{}\n" * 300_000, "s.jsonl"), scores, "all of them"),
    "a baseline without end": Bomb(linked("b.jsonl"), baseline, "it is a pipe or a device"),
    "a baseline of a gigabyte": Bomb(sparse("b.jsonl"), baseline, "b.jsonl: is larger than 512 MiB"),
    "a header 100,000 deep": Bomb(
        written('{"format":1,"a":' + "[" * 100_000, "b.jsonl"), baseline, "b.jsonl:1: the first line is not"
    ),
    "a row 100,000 deep": Bomb(
        written(BASELINE + '{"case":"a","slices":' + "[" * 100_000, "b.jsonl"), baseline, "b.jsonl:2: "
    ),
    "half a million rows that are none": Bomb(
        written(BASELINE + '{"x":1}\n' * 500_000, "b.jsonl"), baseline, "more problems"
    ),
    "a run 100,000 deep": Bomb(
        written("[" * 100_000, "run.json"), read_run, "run.json: cannot be read: is nested"
    ),
    "a run without end": Bomb(linked("run.json"), read_run, "it is a pipe or a device"),
    "samples without end": Bomb(linked("samples.jsonl"), samples, "it is a pipe or a device"),
    "samples of a gigabyte in one line": Bomb(
        sparse("samples.jsonl"), samples, "samples.jsonl:1: not a sample"
    ),
    "a sample 100,000 deep": Bomb(
        written('{"output":{"text":"","data":' + "[" * 100_000 + "\n", "samples.jsonl"),
        samples,
        "jsonl:1: not a",
    ),
    "a hole of 200 MB to mend": Bomb(sparse("samples.jsonl", 200 << 20), mend_samples, None),
    "results 1,000,000 deep": Bomb(
        written("[" * 1_000_000, "r.json"), results, "is nested more than 200 deep"
    ),
    "XML 1,000,000 deep": Bomb(written("<a>" * 1_000_000, "r.xml"), results, "too many in one another"),
    "XML that is a bomb": Bomb(
        written('<!DOCTYPE a [<!ENTITY a "x">]><testsuite>&a;</testsuite>', "r.xml"), results, "<!DOCTYPE>"
    ),
    "a zip that lies": Bomb(lying_zip, results, "is damaged"),
    "a template 150 deep": template("{{ " + "- " * 150 + "n }}", "p.md: is nested more than 60 deep"),
    "a template as wide as the memory": template("{{ '%999999999d' % n }}", "p.md: a width of five digits"),
}


def measure(name: str, folder: Path) -> dict[str, object]:
    """Return what reading a bomb took, and what was said."""
    bomb = BOMBS[name]
    folder.mkdir()
    bomb.make(folder)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        bomb.read(folder)
        said, problems = "", 0
    except LoadError as error:
        said, problems = str(error), len(error.problems)
    except AioncallError as error:
        said, problems = str(error), 1
    spent = time.process_time() - start
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"name": name, "cpu_s": spent, "more_mib": more, "said": said, "problems": problems}


if __name__ == "__main__":
    load_config(Path(sys.argv[1]))
    written(HEAD + CASES)(Path(sys.argv[1]))
    evalset(Path(sys.argv[1]))
    for number, one in enumerate(BOMBS):
        print(json.dumps(measure(one, Path(sys.argv[1]) / str(number))), flush=True)
