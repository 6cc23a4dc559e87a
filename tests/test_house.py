"""The house keeps its shape: the four edges of a root that is the package, floors, sizes, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("cli", "devices", "graphs", "simulator", "reports")
SOURCES = sorted(list(ROOT.glob("*.py")) + [p for room in ROOMS for p in (ROOT / room).rglob("*.py")])


def test_the_face_imports_nothing_eagerly() -> None:
    code = "import sys; before = set(sys.modules); import preflash; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in run.stdout.split() if not name.startswith(("__editable__", "_"))}
    assert {name for name in loaded if name.startswith("preflash")} == {"preflash"}
    assert not loaded & {"numpy", "pydantic", "networkx", "tflite", "matplotlib"}


def test_only_the_three_root_modules_ship() -> None:
    assert {p.name for p in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}


def test_the_listed_packages_are_the_folders() -> None:
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"])
    found = {"preflash"}
    for room in ROOMS:
        for folder in [ROOT / room, *(p for p in (ROOT / room).rglob("*") if p.is_dir())]:
            if folder.name != "__pycache__" and any(f.is_file() for f in folder.iterdir()):
                found.add("preflash." + ".".join(folder.relative_to(ROOT).parts))
    assert listed == found


def test_every_data_file_is_in_the_package_data() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_dir() or path.suffix in (".py", ".pyc"):
                continue
            package = "preflash." + ".".join(path.parent.relative_to(ROOT).parts)
            assert any(path.match(pattern) for pattern in patterns.get(package, [])), path


def test_a_clone_is_told_to_be_an_identifier() -> None:
    assert PYPROJECT["project"]["name"].isidentifier()
    assert "git clone" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(r"git clone .* preflash\b", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_nobody_imports_the_root_face_or_uses_absolute_imports() -> None:
    for path in SOURCES:
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.Import):
                assert not [a.name for a in statement.names if a.name.split(".")[0] == "preflash"], path
            if isinstance(statement, ast.ImportFrom) and statement.level == 0:
                assert (statement.module or "").split(".")[0] not in ("preflash", *ROOMS), path


def test_no_file_is_longer_than_300_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 300
    }
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_says_in_its_first_line_what_it_knows(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring and docstring.splitlines()[0].strip()


_BANNED = {"layer", "layers", "param", "params", "info", "data2", "manager", "helper", "helpers", "utils"}


def test_no_banned_word_names_anything() -> None:
    for path in SOURCES:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, (ast.FunctionDef, ast.ClassDef)):
                words = set(re.findall(r"[A-Z]?[a-z]+|[0-9]+", item.name))
                assert not {w.lower() for w in words} & _BANNED, f"{path}: {item.name}"


def test_the_interpreter_is_imported_in_one_file_only() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if re.search(r"^\s*(import|from) (tflite_runtime|ai_edge_litert)", path.read_text("utf-8"), re.M)
    }
    assert users <= {"simulator/interpreter.py"}
