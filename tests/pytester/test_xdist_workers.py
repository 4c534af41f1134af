"""Workers of xdist give the same records and the same verdict; one that crashes is no green run."""

from __future__ import annotations

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(20)}


def test_xdist_gives_the_same_records_and_the_same_verdict(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run()
    project.accept()
    project.app("def answer(text):\n    return 'no' if text in ('q1', 'q2', 'q3', 'q4') else text.upper()\n")
    alone = project.run()
    alone_verdicts = project.report()["evalsets"][0]["judgement"]["verdicts"]
    shared = project.run_apart("-n", "2")
    assert (alone.ret, shared.ret) == (1, 1), shared.stdout.str()
    assert project.report()["evalsets"][0]["judgement"]["verdicts"] == alone_verdicts
    key = [(s["case"], s["epoch"], s["output"]["text"], s["scores"]) for s in project.last_samples()]
    assert len(key) == 60
    assert "--aioncall-concurrency" in shared.stdout.str()
    shared.stdout.fnmatch_lines(["*gate[[]exact[]]*"])


def test_a_worker_that_crashes_fails_its_case_and_leaves_a_partial_run(project: Project) -> None:
    project.app(
        "import os\ndef answer(text):\n    if text == 'q3':\n        os._exit(9)\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run_apart("-n", "1", "--max-worker-restart", "0")
    assert result.ret == 1
    assert "partial run" in result.stdout.str()
    assert "gate[" not in result.stdout.str()
    assert [s["case"] for s in project.last_samples()] == ["case-00", "case-01", "case-02"]


def test_a_worker_that_cannot_keep_its_recordings_is_no_green_run(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES, epochs=1)
    project.write(
        "conftest.py",
        """
        from pytest_aioncall.errors import StoreError
        from pytest_aioncall.flows.cassettes import RunCassettes

        async def close(self):
            raise StoreError("2 answers could not be recorded: No space left on device")

        RunCassettes.close = close
        """,
    )
    alone, shared = project.run_apart(), project.run_apart("-n", "2")
    assert (alone.ret, shared.ret) == (7, 7)
    for result in (alone, shared):
        assert result.stdout.str().count("closing failed: 2 answers could not be recorded") == 1
