"""Imports flow one way, without cycles, and nothing inside leans on the package root."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "wayfare"
ESCAPE = "# house: allowed because "

# Room (a folder, or a module that stands at the top) -> the rooms it may import, itself included always.
# A new room needs a line here.
GROUND = {"errors", "domain"}
LOG = GROUND | {"histories", "engines"}
STUDY = LOG | {"stats", "log", "result", "analysis", "study", "charts"}
INSIDE = STUDY | {"analyses", "registry", "workspace"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "domain": {"errors"},
    "stats": {"errors"},
    "histories": GROUND,
    "engines": GROUND | {"histories"},
    "log": LOG,
    "charts": GROUND,
    "result": GROUND | {"charts"},
    "study": STUDY - {"analysis"},
    "analysis": STUDY,
    "analyses": STUDY,
    "registry": STUDY | {"analyses"},
    "workspace": STUDY,
    "collect": LOG | {"workspace"},
    "demo": INSIDE,
    "report": INSIDE,
    "web": INSIDE | {"collect", "report"},
    "cli": INSIDE | {"collect", "demo", "report", "web"},
    "__main__": {"cli"},
    "": INSIDE,  # the package root only gathers names for `import wayfare as wf`
}


@dataclass(frozen=True)
class Import:
    """One import of one of our modules by another."""

    source: str
    target: str
    line: int
    at_import_time: bool
    excused: bool


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def statements(tree: ast.Module) -> list[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import outside `if TYPE_CHECKING`, and whether it runs when the module is imported."""
    found: list[tuple[ast.Import | ast.ImportFrom, bool]] = []

    def visit(node: ast.AST, at_import_time: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child, at_import_time)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append((node, at_import_time))
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, at_import_time and not inside)

    visit(tree, True)
    return found


def targets(node: ast.Import | ast.ImportFrom, module: str, is_package: bool, names: set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        base = ".".join([*parts, base] if base else parts)
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in names else base for name in inner]


def imports_of(root: Path) -> list[Import]:
    """All imports among the modules of the package at `root`."""
    paths = {module_name(path, root): path for path in sorted(root.rglob("*.py"))}
    names, found = set(paths), []
    for module, path in paths.items():
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node, at_import_time in statements(ast.parse(text, str(path))):
            excused = any(ESCAPE in line for line in lines[node.lineno - 1 : node.end_lineno])
            found += [
                Import(module, target, node.lineno, at_import_time, excused)
                for target in dict.fromkeys(targets(node, module, path.name == "__init__.py", names))
                if target.split(".")[0] == root.name and target != module
            ]
    return found


def against_the_stream(imports: list[Import]) -> list[str]:
    return [
        f"{found.source}:{found.line} imports {found.target}"
        for found in imports
        if not found.excused
        and room(found.source) in ALLOWED
        and room(found.target) not in ALLOWED[room(found.source)] | {room(found.source)}
    ]


def of_the_root(imports: list[Import], root: str) -> list[str]:
    inside = (found for found in imports if "." in found.source)
    return [f"{found.source}:{found.line}" for found in inside if found.target == root]


def cycle(imports: list[Import]) -> list[str]:
    """Modules that stay when those that import nothing, or that nothing imports, are taken away again and again."""
    edges = {(found.source, found.target) for found in imports if found.at_import_time}
    while True:
        sources, reached = {source for source, _ in edges}, {target for _, target in edges}
        kept = {(source, target) for source, target in edges if target in sources and source in reached}
        if kept == edges:
            return sorted({source for source, _ in edges})
        edges = kept


def analyses_of(root: Path) -> set[str]:
    """The modules that define an analysis: a function under the decorator `analysis`."""

    def decorated(path: Path) -> bool:
        functions = [
            node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
        ]
        marks = [ast.unparse(mark).split("(")[0] for node in functions for mark in node.decorator_list]
        return any(mark.split(".")[-1] == "analysis" for mark in marks)

    return {module_name(path, root) for path in root.glob("analyses/**/*.py") if decorated(path)}


def test_every_room_has_a_line_in_the_table():
    rooms = {room(module_name(path, SOURCE)) for path in SOURCE.rglob("*.py")}
    assert rooms <= set(ALLOWED), f"no line in ALLOWED for {sorted(rooms - set(ALLOWED))}"


def test_imports_flow_one_way():
    assert against_the_stream(imports_of(SOURCE)) == []


def test_nothing_inside_imports_the_package_root():
    assert of_the_root(imports_of(SOURCE), "wayfare") == []


def test_no_cycle():
    assert cycle(imports_of(SOURCE)) == []


def test_an_analysis_imports_no_more_of_another_than_the_analysis_itself():
    """`study.result(sibling, ...)` needs the sibling's function, and the type that it gives; the rest is its own."""
    analyses = analyses_of(SOURCE)
    found = []
    for path in SOURCE.glob("analyses/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in analyses:
                own = node.module.rpartition(".")[2]
                public = (own, own.title().replace("_", "") + "Result")
                found += [
                    f"{path.name} imports {alias.name}" for alias in node.names if alias.name not in public
                ]
    assert found == []


def test_what_a_folder_keeps_to_itself_is_used_by_nobody_else():
    """`analyses/journey/_rows.py` is the journey's own; what several folders need stands above them."""
    found = [
        f"{found.source}:{found.line} imports {found.target}"
        for found in imports_of(SOURCE)
        if found.target.rpartition(".")[2].startswith("_")
        and not found.target.endswith("__")
        and not found.source.startswith(found.target.rpartition(".")[0])
    ]
    assert found == []


# The checks themselves, on small houses with one fault each.

FAULTS = {
    "upward": ({"stats/a.py": "from wayfare.histories import b", "histories/b.py": ""}, "stream"),
    "upward in a function": ({"stats/a.py": "def f():\n    import wayfare.web.b", "web/b.py": ""}, "stream"),
    "upward, relative": ({"stats/a.py": "from ..domain import b", "domain/b.py": ""}, "stream"),
    "root": ({"stats/a.py": "from wayfare import version", "__init__.py": "version = 1"}, "root"),
    "root, relative": ({"stats/a.py": "from .. import version", "__init__.py": "version = 1"}, "root"),
    "cycle": ({"stats/a.py": "from wayfare.stats import b", "stats/b.py": "import wayfare.stats.a"}, "cycle"),
    "none": ({"stats/a.py": "from wayfare.errors import E", "errors.py": "E = 1"}, ""),
    "typing only": (
        {"errors.py": "if TYPE_CHECKING:\n    from wayfare.stats import a", "stats/a.py": ""},
        "",
    ),
    "late cycle": (
        {"stats/a.py": "import wayfare.stats.b", "stats/b.py": "def f():\n    import wayfare.stats.a"},
        "",
    ),
    "excused": ({"errors.py": f"import wayfare.stats.a  {ESCAPE}of a test", "stats/a.py": ""}, ""),
    "package and part": (
        {"stats/__init__.py": "from wayfare.stats.a import x", "stats/a.py": "from wayfare.stats import y"},
        "cycle",
    ),
    "package and its parts": (
        {"stats/__init__.py": "from wayfare.stats.a import x", "stats/a.py": "x = 1"},
        "",
    ),
}


@pytest.mark.parametrize(("files", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_seen(tmp_path: Path, files: dict[str, str], fault: str):
    for name, text in files.items():
        path = tmp_path / "wayfare" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    imports = imports_of(tmp_path / "wayfare")
    seen = {
        "stream": bool(against_the_stream(imports)) and fault != "root",
        "root": bool(of_the_root(imports, "wayfare")),
        "cycle": bool(cycle(imports)),
    }
    assert [name for name, present in seen.items() if present] == ([fault] if fault else [])
