"""The tree keeps its shape: every package is named in its contracts, and money is never a float."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
OUTSIDE_THE_LAYERS = {"tests", "benchmarks", "examples"}
EXACT = [
    *("rules.py", "money.py", "validation.py", "totals.py", "checks.py"),
    *("codec.py", "catalogue.py"),
]
# Similarities of names and chances of staying are ratios.
RATIOS = {"streams/customers/rules.py"}


def rooms() -> set[str]:
    """Return the top-level import packages of the tree."""
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - OUTSIDE_THE_LAYERS


def test_every_room_is_named_in_the_layers_contract_and_installed() -> None:
    linter = CONFIG["importlinter"]
    layers = {
        name.strip()
        for contract in linter["contracts"]
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in layer.split("|")
    }
    installed = {name.rstrip("*") for name in CONFIG["setuptools"]["packages"]["find"]["include"]}
    assert rooms() == layers == set(linter["root_packages"]) == installed
    assert rooms() | {"tests", "benchmarks"} == set(CONFIG["mypy"]["packages"])


def exact_modules() -> list[Path]:
    """Return the modules in which a binary float would be a wrong amount."""
    found = [path for room in rooms() for name in EXACT for path in ROOT.glob(f"{room}/**/{name}")]
    return sorted(path for path in found if path.relative_to(ROOT).as_posix() not in RATIOS)


@pytest.mark.parametrize("path", exact_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_money_is_never_counted_in_floats(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    floats = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert not floats, f"{path}: float in lines {floats}"
