"""Long and hostile output is kept whole and shown harmless."""

from __future__ import annotations

from eval_project import Project


def test_an_output_of_200_kilobytes_and_of_hostile_text_is_kept_and_shown_harmless(project: Project) -> None:
    project.app(
        "def answer(text):\n"
        "    return '\\x1b[31m::error::<script>alert(1)</script>\\u202e]]>' + 'x' * 200_000\n"
    )
    project.evalset(cases=[{"id": "a", "input": "a", "must": [{"contains": "nowhere"}]}])
    result = project.run("--junitxml=junit.xml")
    assert result.ret == 1
    text = result.stdout.str()
    assert "\x1b[31m::error" not in text
    assert "\u202e" not in text
    assert len(project.last_samples()[0]["output"]["text"]) > 200_000
    page = (project.path / ".aioncall" / "report.html").read_text()
    assert "<script>alert(1)" not in page
    from xml.etree import ElementTree

    ElementTree.parse(project.path / "junit.xml")
