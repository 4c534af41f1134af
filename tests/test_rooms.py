"""The rooms of the package import downwards only, and each outside thing has one door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "pytest_aioncall"
LEVEL0 = {"errors", "protocols", "settings"}
ALLOWED = {
    "model": {"model"},
    "stats": {"stats"},
    "decide": {"decide", "model", "stats"},
    "engine": {"model", "budget", "deadlines"},
    "budget": set(),
    "deadlines": set(),
    "adapters": {"adapters", "model", "stats"},
    "settings": {"model"},
    "protocols": {"model"},
    "errors": set(),
    "flows": {"decide", "engine", "budget", "adapters", "model", "stats", "flows"},
    "testing": {"adapters", "engine", "model", "stats"},
    "cli": {"flows", "model"},
    "plugin": {"flows", "engine", "budget", "model", "plugin"},
    "__init__": {"model"},
    "__main__": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[tuple[str, int]]:
    """Return absolute dotted names of all imports of a module, the function-local ones too."""
    package = ["pytest_aioncall", *path.relative_to(PACKAGE).parent.parts]
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*stem, *([node.module] if node.module else [])])
            found.append((base, node.lineno))
            found += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    room = room_of(path)
    for name, line in imports_of(path):
        parts = name.split(".")
        if parts[0] != "pytest_aioncall" or len(parts) < 2:
            continue
        target = parts[1]
        if not (PACKAGE / target).is_dir() and not (PACKAGE / f"{target}.py").is_file():
            continue
        if target in LEVEL0 and not (room in {"model", "stats"} and target in {"protocols", "settings"}):
            if target == "settings" and room in {"decide", "adapters", "engine"}:
                pytest.fail(f"{path}:{line}: {room} imports settings")
            continue
        assert target == room or target in ALLOWED[room], f"{path}:{line}: {room} imports {target}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_an_adapter_imports_no_other_adapter(path: Path) -> None:
    """Helpers inside one adapter folder are that adapter; the registry names them all."""
    if room_of(path) != "adapters" or path.stem in {"registry", "__init__"}:
        return
    parts = path.relative_to(PACKAGE).parts
    own = parts[1].removesuffix(".py")
    for name, line in imports_of(path):
        target = name.split(".")
        if target[:2] == ["pytest_aioncall", "adapters"] and len(target) > 2:
            shared = {
                "text",
                "files",
                "imports",
                "chat_protocol",
                "chat_replies",
                "redaction",
                "templates",
                "yaml_text",
            }
            assert target[2] == own or target[2] in shared, f"{path}:{line}: adapter {own} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_outside_things_have_one_door(path: Path) -> None:
    room, relative = room_of(path), str(path.relative_to(PACKAGE))
    for name, line in imports_of(path):
        top = name.split(".")[0]
        where = f"{relative}:{line}"
        if top in {"pytest", "_pytest", "xdist"}:
            assert room == "plugin", f"{where}: only plugin/ imports pytest"
        if top in {"httpx", "httpx2", "aiohttp", "requests", "urllib3"}:
            assert relative.startswith("adapters/net/"), (
                f"{where}: only adapters/net/ imports an HTTP library"
            )
        if top in {"numpy", "scipy"}:
            assert room in {"stats", "decide"}, f"{where}: only stats/ and decide/ compute with {top}"
        if top in {"socket", "subprocess", "sqlite3"}:
            assert room == "adapters", f"{where}: only adapters/ opens a {top}"
        if name in {"os.environ", "os.getenv"}:
            assert room == "settings", f"{where}: only settings.py reads the environment"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_settings_reads_the_environment_and_only_adapters_open_files(path: Path) -> None:
    room = room_of(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
        if of_os and node.attr in {"environ", "getenv"}:
            assert room == "settings", f"{path}:{node.lineno}: only settings.py reads the environment"
        if isinstance(node, ast.Call) and room not in {"adapters", "testing"}:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in {"open", "read_text", "write_text", "read_bytes", "write_bytes"} or (
                isinstance(called, ast.Attribute) and name == "open" and room == "engine"
            ), f"{path}:{node.lineno}: only adapters open files"
