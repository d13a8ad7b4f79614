"""The frame around the code: documented, small, free of one machine's traces, pinned and versioned."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "wayfare"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LARGEST = 1_000_000  # bytes

# Absolute paths of somebody's machine. Written in parts, so that this file does not hold what it looks for.
MACHINE = re.compile(
    r"(?<![\w.~*<>)}/:-])/(?:"
    + "|".join(["wor" + "k", "ro" + "ot", r"hom" + r"e/\w+", r"User" + r"s/\w+"])
    + ")/"
)
# Addresses and options that would say where packages come from.
INDEX = re.compile(r"://|--(?:extra-)?index|--find-links|--trusted-host|--hash|^-|\s@\s", re.MULTILINE)


def project_files() -> list[Path]:
    """What is tracked, or would be: the files that git does not ignore (a source archive has only such files)."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        output = subprocess.run(listing, capture_output=True, check=True).stdout
        paths = [ROOT / name for name in output.decode().split("\0") if name]
    else:
        folders = [ROOT / name for name in ("src", "tests", "docs", "bench") if (ROOT / name).is_dir()]
        paths = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def undocumented(path: Path) -> list[str]:
    """The public module, classes, functions and methods of a file that have no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    missing = [] if path.name.startswith("_") and path.name != "__init__.py" else check(tree, str(path.name))

    def visit(body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and public(node):
                missing.extend(check(node, f"{path.name}:{node.lineno} {node.name}"))
                if isinstance(node, ast.ClassDef):
                    visit(node.body)

    visit(tree.body)
    return missing


def check(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> list[str]:
    return [] if (ast.get_docstring(node) or "").strip() else [name]


def public(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    marks = {ast.unparse(mark).split(".")[-1] for mark in node.decorator_list}
    return not node.name.startswith("_") and marks.isdisjoint({"overload", "override", "setter"})


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    written = PROJECT["dependencies"] + [line for name in extras if name != "bench" for line in extras[name]]
    return [need for need in map(Requirement, written) if need.name != PROJECT["name"]]


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_public_names_have_docstrings(path: Path):
    assert undocumented(path) == []


def test_no_large_file():
    assert {str(path.relative_to(ROOT)) for path in project_files() if path.stat().st_size > LARGEST} == set()


def test_no_path_of_one_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_machine_paths_are_recognised():
    parts = ["", "wor" + "k", "main", "x.csv"]
    assert MACHINE.search(f"open('{'/'.join(parts)}')")
    assert not MACHINE.search("https://example.org" + "/".join(parts))
    assert not MACHINE.search("<repo>" + "/".join(parts))


def test_constraints_name_versions_and_no_place():
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert INDEX.findall(text) == []
    assert all(
        re.fullmatch(r"[\w.-]+==[\w.!+]+", line) for line in text.splitlines() if not line.startswith("#")
    )


@pytest.mark.parametrize("need", requirements(), ids=str)
def test_every_dependency_is_pinned_within_its_bound(need: Requirement):
    assert need.specifier.contains(pins()[canonicalize_name(need.name)])


def test_changelog_has_the_current_version():
    assert re.search(
        rf"^## \[{re.escape(PROJECT['version'])}\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )


def test_every_target_of_make_says_what_it_does():
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (\S+)", text, re.MULTILINE))
    assert targets == set(re.findall(r"^([a-z-]+):[^\n]*## \S", text, re.MULTILINE))
