"""What a change can affect is told cause by cause; what cannot be told is a cause; nothing else runs."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_aioncall.errors import LoadError, UsageError
from pytest_aioncall.flows.evalrun import EvalRun, settings_for

EVALSET = """
evalset: demo
owner: "@ann"
target: {python: "shop.triage:route"}
subject: {files: ["prompts/**/*.md"]}
scorers: [exact, {judge: {as: help, rubric: rubrics/help.md, model: local/judge-2026-01-01}}]
cases: [{id: a, input: a, expected: A}]
include: ["extra/*.yaml"]
"""
FILES = {
    "aioncall.yaml": "providers: {local: {base_url: http://127.0.0.1:9/v1}}\noncall: {timezone: UTC}\n",
    "evalsets/demo.eval.yaml": EVALSET,
    "evalsets/extra/more.yaml": "cases:\n- {id: b, input: b, expected: B}\n",
    "evalsets/extra/kept.yaml": "cases:\n- {id: k, input: k, expected: K}\n",
    "evalsets/baselines/other.jsonl": "{}\n",
    "evalsets/cassettes/demo.jsonl": "",
    "shop/__init__.py": "",
    "shop/triage.py": (
        "from .words import UP\nimport os\n\n\ndef route(x):\n    from shop import late\n"
        "    open('data/table.csv')\n    return x.upper()\n"
    ),
    "shop/words.py": "import json\nUP = 1\n",
    "shop/late.py": "import lib.deep\n",
    "shop/queues.txt": "billing\n",
    "lib/deep.py": "",
    "tools/release.py": "print('not imported by anything')\n",
    "data/table.csv": "a,b\n",
    "prompts/de/triage.md": "Be kind.\n",
    "rubrics/help.md": "Is it helpful? Answer 1 to 5.\n",
    "README.md": "hello\n",
    "pyproject.toml": (
        "[project]\nname='shop'\ndescription='d'\ndependencies=['httpx']\n[tool.ruff]\nline-length=1\n"
    ),
    "requirements.txt": "httpx==0.27\n",
    "requirements/dev.txt": "ruff\n",
    "conftest.py": "",
    "evalsets/incidents/demo/one.yaml": (
        "format: 1\nsource: {incident: INC-1}\n"
        "cases: [{id: i, input: i, must: [{not_contains: z}], expected: I}]\n"
    ),
}


class Tree:
    """A project in git on a branch that left `main`, its files as FILES has them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "ann")
        self.git("config", "user.email", "ann@example.com")
        for name, text in FILES.items():
            self.write(name, text)
        self.commit()
        self.git("checkout", "-q", "-b", "work")

    def git(self, *arguments: str, folder: str = ".") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root / folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a commit")

    def causes(self, *, ref: str = "main", **flags: object) -> tuple[str, ...]:
        """Return why the change affects the evalset, each time as a process that starts anew."""
        importlib.invalidate_caches()
        path = list(sys.path)
        try:
            run = EvalRun(settings_for(self.root, {"changed": ref, **flags}))
            return run.beside.causes(run.load(self.root / "evalsets/demo.eval.yaml"))
        finally:
            sys.path[:] = path
            for name, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), "")
                if str(file).startswith(str(self.root)):
                    del sys.modules[name]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = Tree(tmp_path_factory.mktemp("begun"))
    tree.begin()
    return tree.root


@pytest.fixture
def tree(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    for name in list(os.environ):
        if name.startswith("AIONCALL_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Tree(Path(shutil.copytree(begun, tmp_path / "project", symlinks=True)))


def appended(text: str) -> Callable[[Tree, str], None]:
    def change(tree: Tree, name: str) -> None:
        tree.write(name, (tree.root / name).read_text() + text)

    return change


CAUSES = [
    ("evalsets/demo.eval.yaml", "# a comment\n", "evalset: evalsets/demo.eval.yaml"),
    ("evalsets/extra/more.yaml", "- {id: c, input: c, expected: C}\n", "cases: evalsets/extra/more.yaml"),
    ("evalsets/incidents/demo/one.yaml", "# again\n", "cases: evalsets/incidents/demo/one.yaml"),
    ("prompts/de/triage.md", "Be brief.\n", "subject: prompts/de/triage.md"),
    ("rubrics/help.md", "Be strict.\n", "scorer: rubrics/help.md"),
    ("shop/triage.py", "# x\n", "code: shop/triage.py"),
    ("shop/words.py", "# x\n", "code: shop/words.py"),
    ("shop/late.py", "# x\n", "code: shop/late.py"),
    ("shop/__init__.py", "# x\n", "code: shop/__init__.py"),
    ("lib/deep.py", "# x\n", "code: lib/deep.py"),
    ("shop/queues.txt", "sales\n", "inside its packages: shop/queues.txt"),
    ("data/table.csv", "1,2\n", "named in its code: data/table.csv"),
    ("requirements.txt", "# x\n", "what is installed: requirements.txt"),
    ("requirements/dev.txt", "# x\n", "what is installed: requirements/dev.txt"),
    ("conftest.py", "# x\n", "how pytest runs: conftest.py"),
    ("tools/release.py", "# x\n", None),
    ("README.md", "more\n", None),
    ("evalsets/baselines/other.jsonl", "{}\n", None),
    ("evalsets/cassettes/demo.jsonl", "\n", None),
]


@pytest.mark.parametrize(("file", "added", "cause"), CAUSES, ids=[one[0] for one in CAUSES])
def test_each_file_has_its_cause_or_none(tree: Tree, file: str, added: str, cause: str | None) -> None:
    """A change of one file is one named cause where the evalset may depend on it, and none elsewhere."""
    appended(added)(tree, file)
    assert tree.causes() == (() if cause is None else (cause,))


def test_committed_staged_unstaged_and_untracked_files_count_alike(tree: Tree) -> None:
    """However a change stands in git, it is a change; an ignored file is not told."""
    assert tree.causes() == ()
    tree.write("prompts/new.md", "hi\n")
    assert tree.causes() == ("subject: prompts/new.md",)
    tree.git("add", "-A")
    assert tree.causes() == ("subject: prompts/new.md",)
    tree.commit()
    assert tree.causes() == ("subject: prompts/new.md",)
    tree.write(".git/info/exclude", "*.bak.md\n")
    tree.git("reset", "-q", "--hard", "main")
    tree.write("prompts/x.bak.md", "hi\n")
    assert tree.causes() == ()


def test_what_is_gone_is_a_cause(tree: Tree) -> None:
    """A deleted prompt, case file or module counts by the name that it had."""
    for name in ("prompts/de/triage.md", "evalsets/extra/more.yaml", "shop/queues.txt"):
        (tree.root / name).unlink()
    assert tree.causes() == (
        "cases: evalsets/extra/more.yaml",
        "subject: prompts/de/triage.md",
        "inside its packages: shop/queues.txt",
    )


def test_a_module_that_is_gone_and_was_optional_is_a_cause(tree: Tree) -> None:
    """`try: import extra` takes another branch when extra.py goes."""
    tree.git("checkout", "-q", "main")
    tree.write("extra.py", "")
    tree.write("shop/words.py", "try:\n    import extra\nexcept ImportError:\n    extra = None\nUP = 1\n")
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    (tree.root / "extra.py").unlink()
    assert tree.causes() == ("code: extra.py",)


def test_only_what_left_the_merge_base_counts(tree: Tree) -> None:
    """What main did since is not this change."""
    tree.git("checkout", "-q", "main")
    tree.write("prompts/de/triage.md", "main moved on\n")
    tree.commit()
    tree.git("checkout", "-q", "work")
    assert tree.causes() == ()


def test_recordings_count_when_they_answer(tree: Tree) -> None:
    """A changed cassette affects a run that replays it, and none that asks the model."""
    tree.write("evalsets/cassettes/demo.jsonl", "\n")
    assert tree.causes() == ()
    assert tree.causes(replay=True) == ("recording: evalsets/cassettes/demo.jsonl",)


def test_a_baseline_counts(tree: Tree) -> None:
    """Its own baseline and the outputs beside it, not those of other evalsets."""
    tree.write("evalsets/baselines/demo.outputs.jsonl", "{}\n")
    assert tree.causes(baseline_ref="main") == ("baseline: evalsets/baselines/demo.outputs.jsonl",)


CONFIGS = [
    ("providers: {local: {base_url: http://127.0.0.1:8/v1}}\noncall: {timezone: UTC}\n", "providers"),
    ("providers: {local: {base_url: http://127.0.0.1:9/v1}}\noncall: {timezone: Europe/Rome}\n", None),
    (FILES["aioncall.yaml"] + "prices: {as_of: 2026-01-01, local/x: {input: 1, output: 1}}\n", "prices"),
    (FILES["aioncall.yaml"] + "defaults: {alpha: 0.01}\n", "defaults"),
    (FILES["aioncall.yaml"] + "# a comment\n", None),
]


@pytest.mark.parametrize(("text", "section"), CONFIGS)
def test_sections_of_the_configuration_that_matter_count(tree: Tree, text: str, section: str | None) -> None:
    """Providers, prices and defaults do; the rotation and comments do not."""
    tree.write("aioncall.yaml", text)
    assert tree.causes() == ((f"aioncall.yaml: {section}",) if section else ())


def test_providers_concern_only_evalsets_that_ask_models(tree: Tree) -> None:
    """An evalset with code for a target and plain scorers asks nobody."""
    tree.git("checkout", "-q", "main")
    tree.write("evalsets/demo.eval.yaml", EVALSET.replace(EVALSET.split("\n")[5], "scorers: [exact]"))
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.write("aioncall.yaml", CONFIGS[0][0])
    assert tree.causes() == ()


PROJECTS = [
    ("dependencies=['httpx']", "dependencies=['httpx>=1']", True),
    ("description='d'", "description='other'", False),
    ("line-length=1", "line-length=2", False),
    ("[tool.ruff]", "[tool.pytest.ini_options]\npythonpath=['lib']\n[tool.ruff]", True),
    ("[project]", "[project", True),
]


@pytest.mark.parametrize(("was", "now", "counts"), PROJECTS)
def test_of_pyproject_only_what_is_installed_counts(tree: Tree, was: str, now: str, counts: bool) -> None:
    """A dependency does, a description or a formatter's line length does not; a broken file does."""
    tree.write("pyproject.toml", FILES["pyproject.toml"].replace(was, now))
    assert tree.causes() == (("what is installed: pyproject.toml",) if counts else ())


OPEN = [
    (
        "import importlib\nname = 'x'\ndef f():\n    importlib.import_module(name)\n",
        "imports a module by a name",
    ),
    ("import subprocess\ndef f():\n    subprocess.run(['make'])\n", "starts a program"),
    ("def f():\n    exec('1')\n", "runs text as code"),
]


@pytest.mark.parametrize(("code", "why"), OPEN)
def test_what_cannot_be_told_is_taken_as_affected_and_said(tree: Tree, code: str, why: str) -> None:
    """Code that reaches other code by names made at run time: any module counts, a README does not."""
    tree.git("checkout", "-q", "main")
    tree.write("shop/words.py", code + "UP = 1\n")
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.write("README.md", "more\n")
    assert tree.causes() == ()
    tree.write("tools/release.py", "print(2)\n")
    (cause,) = tree.causes()
    assert cause.startswith("cannot tell: shop/words.py:") and why in cause


def test_a_name_that_is_written_out_is_followed(tree: Tree) -> None:
    """`import_module("tools.release")` is as good as an import."""
    tree.git("checkout", "-q", "main")
    tree.write(
        "shop/words.py",
        "import importlib\nUP = 1\ndef f():\n    importlib.import_module('tools.release')\n",
    )
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.write("tools/release.py", "print(2)\n")
    assert tree.causes() == ("code: tools/release.py",)


def test_an_elsewhere_target_without_declared_files_is_affected_by_anything(tree: Tree) -> None:
    """Nobody knows the code behind an address; `subject.files` tells."""
    tree.git("checkout", "-q", "main")
    target = textwrap.dedent('target: {command: {argv: ["/bin/cat"]}}')
    tree.write(
        "evalsets/demo.eval.yaml",
        EVALSET.replace('target: {python: "shop.triage:route"}', target).replace(
            'subject: {files: ["prompts/**/*.md"]}\n', ""
        ),
    )
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    assert tree.causes() == ()
    tree.write("README.md", "more\n")
    assert tree.causes() == (
        "cannot tell: a command answers, and what it reads is not known; name its files under subject",
    )
    tree.git("checkout", "-q", "README.md")
    tree.write("evalsets/demo.eval.yaml", EVALSET.replace('target: {python: "shop.triage:route"}', target))
    tree.commit()
    tree.git("branch", "-f", "main", "work")
    tree.write("README.md", "more\n")
    assert tree.causes() == ()


def test_a_link_and_what_it_links_to_both_count(tree: Tree) -> None:
    """A prompt that is a link changes with the link and with its target."""
    tree.git("checkout", "-q", "main")
    tree.write("shared/base.md", "hi\n")
    (tree.root / "prompts/link.md").symlink_to("../shared/base.md")
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.write("shared/base.md", "other\n")
    (cause,) = tree.causes()
    assert cause.startswith("subject: ")


def test_a_project_below_the_top_of_its_repository(tmp_path: Path) -> None:
    """A monorepo: another project's files do not count, code that is imported from beside it does."""
    top = tmp_path / "mono"
    (top / "project").mkdir(parents=True)
    tree = Tree(top / "project")
    tree.begin()
    shutil.rmtree(top / "project/.git")
    tree.root = top
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "a"),
        ("config", "user.email", "a@b"),
    ):
        tree.git(*arguments)
    tree.write("common/texts.py", "T = 1\n")
    tree.write("project/shop/words.py", "import texts\nUP = 1\n")
    tree.commit()
    tree.git("checkout", "-q", "-b", "work")
    tree.root = top / "project"
    sys.path.insert(0, str(top / "common"))
    try:
        (top / "service").mkdir()
        (top / "service/main.py").write_text("x = 1\n")
        assert tree.causes() == ()
        (top / "common/texts.py").write_text("T = 2\n")
        assert tree.causes() == ("code: common/texts.py",)
    finally:
        sys.path.remove(str(top / "common"))


def test_a_ref_that_is_not_there_says_how_to_fetch_it(tree: Tree) -> None:
    """No guess is made: exit 4 with the hint."""
    with pytest.raises(
        UsageError, match=r"--aioncall-changed origin/main: no such commit here.*fetch-depth: 0"
    ):
        tree.causes(ref="origin/main")
    with pytest.raises(UsageError, match=r"did you mean 'main'\? Else fetch it first: git fetch origin mian"):
        tree.causes(ref="mian")
    tree.git("update-ref", "refs/remotes/origin/main", "main")
    with pytest.raises(UsageError, match=r"orgin/main: no such commit here; did you mean 'origin/main'\?"):
        tree.causes(ref="orgin/main")
    with pytest.raises(UsageError, match="names no branch"):
        tree.causes(ref="origin/")
    with pytest.raises(LoadError, match="needs a git ref"):
        tree.causes(ref="--output=x")


def test_a_shallow_clone_has_no_merge_base_and_says_so(tree: Tree, tmp_path: Path) -> None:
    """A clone of depth 1 of both branches knows no common commit."""
    tree.write("README.md", "work\n")
    tree.commit()
    tree.git("checkout", "-q", "main")
    tree.write("README.md", "main\n")
    tree.commit()
    subprocess.run(
        [
            "git",
            "clone",
            "-q",
            "--depth",
            "1",
            "--no-single-branch",
            "-b",
            "work",
            tree.root.as_uri(),
            "clone",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    tree.root = tmp_path / "clone"
    with pytest.raises(UsageError, match=r"no merge base with 'origin/main'.*fetch-depth: 0"):
        tree.causes(ref="origin/main")


def test_without_a_repository_the_option_is_refused(tree: Tree) -> None:
    """There is nothing to compare with."""
    shutil.rmtree(tree.root / ".git")
    with pytest.raises(UsageError, match="no repository with a commit"):
        tree.causes()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such name")
def test_a_name_that_nobody_can_read_is_refused(tree: Tree) -> None:
    """It could be any file's name, so nothing may be called unaffected."""
    (tree.root / "prompts" / os.fsdecode(b"\xff.md")).write_text("hi")
    with pytest.raises(UsageError, match="no UTF-8"):
        tree.causes()


SEARCHES = [
    ("BAD = Path(__file__).with_suffix('.txt').read_text()\n", "shop", True),
    ("NAME = 'x'\nBAD = Path(__file__).with_name(f'{NAME}.txt').read_text()\n", "shop", True),
    ("HERE = Path(__file__).resolve().parent.parent\nBAD = list(HERE.glob('*.txt'))\n", "", True),
    ("BAD = list(Path(__file__).parents[1].rglob('**/*.txt'))\n", "", True),
    ("BAD = os.listdir(os.path.dirname(os.path.dirname(__file__)))\n", "", True),
    ("BAD = list(Path(__file__).parent.glob('*.txt'))\n", "", False),
    ("BAD = os.listdir('.')\n", "", True),
    ("BAD = list(Path(os.environ.get('where', '.')).iterdir())\n", "", True),
    ("def read(folder):\n    return [*folder.iterdir()]\n", "", True),
    ("from glob import glob\nBAD = glob('*/*.txt')\n", "", True),
    ("BAD = glob.glob('not' + 'es/*')\n", "", True),
    ("BAD = list(Path('table.csv').with_suffix('.txt').open())\n", "", True),
    ("BAD = list(Path('queues').glob('*.txt'))\n", "", False),
    ("BAD = list((Path(__file__).parent.parent / 'queues').iterdir())\n", "", False),
    ("X = 'de'\nBAD = glob.glob(f'queues/{X}/*.txt')\n", "", False),
    ("BAD = os.path.join('queues', 'a').split()\n", "", False),
]


@pytest.mark.parametrize(("code", "folder", "counts"), SEARCHES, ids=[one[0][:50] for one in SEARCHES])
def test_files_that_are_searched_for_count_where_they_may_lie(
    tree: Tree, code: str, folder: str, counts: bool
) -> None:
    """A file in the folder of a `glob` may be read by it; a folder that is written out is told by that."""
    tree.git("checkout", "-q", "main")
    head = "import glob, os\nfrom pathlib import Path\nUP = 1\ndef never_called():\n"
    tree.write("shop/words.py", head + textwrap.indent(code, "    "))
    # No package, so that its data does not count anyhow.
    (tree.root / "shop/__init__.py").unlink()
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    assert tree.causes() == ()
    tree.write(f"{folder or 'notes'}/words.txt", "a\n")
    found = tree.causes()
    assert bool(found) is counts
    if counts:
        assert "shop/words.py:" in found[0] and f"{folder or 'notes'}/words.txt may be one" in found[0]
    else:
        tree.write("queues/words.txt", "a\n")
        assert bool(tree.causes()) is ("queues" in code), "the folder's name tells"


def test_a_search_that_names_its_place_leaves_the_rest_alone(tree: Tree) -> None:
    """A README beside the package is no file in it."""
    tree.git("checkout", "-q", "main")
    tree.write(
        "shop/words.py", "from pathlib import Path\nUP = 1\nBAD = [*Path(__file__).parent.iterdir()]\n"
    )
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.write("README.md", "more\n")
    assert tree.causes() == ()


def test_a_submodule_that_is_to_be_ignored_counts(tree: Tree, tmp_path: Path) -> None:
    """`ignore = all` in .gitmodules is the change's own word, and hides nothing."""
    (tmp_path / "other").mkdir()
    other = Tree(tmp_path / "other")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "a"),
        ("config", "user.email", "a@b"),
    ):
        other.git(*arguments)
    other.write("deep.py", "")
    other.commit()
    tree.git("checkout", "-q", "main")
    tree.git("rm", "-q", "-r", "lib")
    tree.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.root), "lib")
    tree.commit()
    tree.git("checkout", "-q", "-B", "work")
    tree.git("config", "-f", ".gitmodules", "submodule.lib.ignore", "all")
    assert tree.causes() == ()
    other.write("deep.py", "WORSE = 1\n")
    other.commit()
    tree.git("-c", "protocol.file.allow=always", "pull", "-q", folder="lib")
    assert tree.causes() == ("code: lib/deep.py",)
