"""A conftest changes settings, sees every case, and gets the report."""

from __future__ import annotations

from eval_project import Project


def test_a_conftest_takes_part_through_hooks(project: Project) -> None:
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(epochs=1)
    project.write(
        "conftest.py",
        """
        import dataclasses
        def pytest_aioncall_settings(settings):
            return dataclasses.replace(settings, epochs=2)
        def pytest_aioncall_case_finished(case, samples, outcome):
            print(f"\\nfinished {case.id} {len(samples)} {outcome.kind}")
        def pytest_aioncall_run_finished(report):
            print(f"\\nrun {report.status}")
        """,
    )
    result = project.run("-s")
    result.stdout.fnmatch_lines(["*finished a 2 held*", "*run pass*"])
