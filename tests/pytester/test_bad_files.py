"""Everything wrong is said at once with file and line, exit 4, before anything is run."""

from __future__ import annotations

import pytest

from eval_project import Project


@pytest.mark.parametrize("extra", [(), ("-n", "2"), ("evalsets/bad.eval.yaml::a",), ("--collect-only",)])
def test_all_problems_of_all_files_come_at_once(project: Project, extra: tuple[str, ...]) -> None:
    project.app("def answer(text):\n    raise SystemExit('ran')\n")
    project.write(
        "evalsets/bad.eval.yaml",
        """\
        evalset: bad
        owner: "@ann"
        target: {python: "app:answr"}
        scorers:
          - contians
        cases:
          - {id: a, input: x, expected: y}
          - {id: b, input: x, expected: y}
        """,
    )
    project.write(
        "evalsets/worse.eval.yaml",
        "evalset: worse\ntarget: {python: 'app:answer'}\nscorers: [exact]\ncasess: []\n",
    )
    result = project.run_apart(*extra) if "-n" in extra else project.run(*extra)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, text
    assert "evalsets/bad.eval.yaml:3: target" in text
    assert "evalsets/bad.eval.yaml:5: scorers[0]: unknown scorer 'contians'; did you mean 'contains'?" in text
    if not any("bad.eval.yaml" in argument for argument in extra):
        assert "casess" in text
        assert "did you mean 'cases'" in text
    assert "nothing was run and nothing was spent" in text
    assert "Traceback" not in text
    assert not project.run_folders()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"evalset: [unclosed\n", "bad.eval.yaml:1: is not valid YAML"),
        (b"evalset: caf\xe9\n", "UTF-8"),
        (b"", "empty"),
        (b"- just\n- a list\n", "mapping"),
        (b"evalset: a\nowner: b\ntarget: {python: 'app:answer'}\nscorers: [exact]\ncases: []\n", "case"),
        (
            b"evalset: a\nowner: b\ntarget: {python: 'app:answer'}\nscorers: []\n"
            b"cases: [{id: x, input: 1}]\n",
            "scorer",
        ),
        (
            b"evalset: a\nowner: b\ntarget: {python: 'nowhere:answer'}\nscorers: [exact]\n"
            b"cases: [{id: x, input: 1, expected: 2}]\n",
            "nowhere",
        ),
        (
            b"evalset: a\nowner: b\ntarget: {python: 'broken:answer'}\nscorers: [exact]\n"
            b"cases: [{id: x, input: 1, expected: 2}]\n",
            "ZeroDivisionError",
        ),
        (
            b"evalset: a\nowner: b\ntarget: {python: 'app:answer'}\nscorers: [exact]\n"
            b"cases: [{id: x, input: 1}]\n",
            "no scorer applies",
        ),
        (
            b"evalset: a\nowner: b\ntarget: {python: 'app:answer'}\nscorers: [exact]\n"
            b"cases: [{id: x, input: 1, expected: 2}, {id: x, input: 1, expected: 2}]\n",
            "taken by line",
        ),
    ],
)
def test_a_bad_file_is_one_clear_line(project: Project, content: bytes, told: str) -> None:
    project.app("def answer(text):\n    return text\n")
    project.write("broken.py", "1 / 0\n")
    path = project.write("evalsets/bad.eval.yaml", "")
    path.write_bytes(content)
    result = project.run()
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, text
    assert "evalsets/bad.eval.yaml" in text
    assert told in text
    assert "Traceback" not in text


def test_a_broken_baseline_is_exit_4_before_anything_is_run(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()
    project.write("evalsets/baselines/demo.jsonl", "{broken\n")
    result = project.run()
    assert result.ret == 4
    assert "demo.jsonl:1" in result.stdout.str() + result.stderr.str()
    assert not project.run_folders()


def test_a_baseline_of_another_format_is_exit_8_and_keeps_the_samples(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()
    project.write("evalsets/baselines/demo.jsonl", '{"format": 99}\n')
    result = project.run()
    assert result.ret == 8
    assert "format 99" in result.stdout.str()
    assert len(project.last_samples()) == 6


def test_a_required_baseline_that_is_missing_is_exit_8(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset()
    assert project.run().ret == 0
    assert project.run("--aioncall-require-baseline").ret == 8
