"""Imports point down the ranks of the house, and the core stays pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "medsafe"
# A module may import from its own room and from rooms of a lower rank.
RANKS = {
    "model": 0,
    "graph": 1,
    "organ": 1,
    "opioids": 1,
    "identity": 1,
    "context": 2,
    "checks": 3,
    "merge": 3,
    "suggestions": 4,
    "review": 5,
    "render": 5,
    "interactions": 6,
    "casebook": 5,
    "library": 6,
    "terminology": 6,
    "decoder": 5,
    "request": 6,
    "fhir": 7,
    "store": 7,
    "service": 7,
    "settings": 6,
    "clients": 5,
    "impact": 7,
    "rule_history": 6,
    "drift": 7,
    "release_notes": 8,
    "compare": 7,
    "web": 8,
    "commands": 9,
    "cli": 10,
    "background": 7,
    "benchmark": 8,
    "__main__": 11,
}
PURE = ("model", "graph", "organ", "opioids", "identity", "context", "checks", "merge", "suggestions", "review")
IMPURE = {
    "flask",
    "marshmallow",
    "requests",
    "requests_cache",
    "logging",
    "os",
    "time",
    "socket",
    "sqlalchemy",
    "random",
    "pathlib",
    "click",
    "rich",
}
# The only rooms that may use a library.
SOLE_USERS = {
    "networkx": {"graph"},
    "requests_cache": {"terminology"},
    "rapidfuzz": {"identity"},
    "flask": {"web"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "jwt": {"web"},
    "redis": {"web"},
}


def room_of(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_its_own_room_or_below(path: Path) -> None:
    room = room_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "medsafe" and len(parts) > 1 and parts[1] in RANKS:
            other = parts[1]
            assert other == room or RANKS[other] < RANKS[room], (
                f"{path.name} imports {name}: {room} must not know {other}"
            )


@pytest.mark.parametrize(
    "path", [p for p in MODULES if room_of(p) in PURE], ids=lambda p: p.relative_to(PACKAGE).as_posix()
)
def test_the_core_has_no_clock_no_files_and_no_web(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports_of(path)} & IMPURE


@pytest.mark.parametrize("library", sorted(SOLE_USERS))
def test_a_library_is_used_by_one_room_only(library: str) -> None:
    users = {room_of(p) for p in MODULES if any(name.split(".")[0] == library for name in imports_of(p))}
    assert users <= SOLE_USERS[library]


def test_checks_never_import_each_other() -> None:
    for path in (PACKAGE / "checks").glob("*.py"):
        assert not any(name.startswith("medsafe.checks.") for name in imports_of(path)), path.name


def test_no_drug_is_named_in_code() -> None:
    drugs = {p.stem for p in (PACKAGE.parent / "formulary" / "drugs").glob("*.toml") if len(p.stem) > 4}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value.casefold() not in drugs, f"{path.name}:{node.lineno} names a drug: {node.value!r}"
