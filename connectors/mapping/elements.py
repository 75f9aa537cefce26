"""Compiles what ``each:`` and ``over:`` go over: objects within a record, or joined records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.mapping.compiler import Compiler, View, climber
from connectors.mapping.paths import found_at, is_path
from connectors.mapping.values import Expression, Node, Refusal, shown

#: Gives the records or objects that a list is made from.
Elements = Callable[[Node], list[Node]]


def elements_of(compiler: Compiler, node: Any) -> tuple[View, Elements]:
    """Compile a path to a list (``/lines``, ``$parent./lines``) or the name of a join (``$item``).

    A list of paths leads on from the objects of one to those within them.

    Returns:
        The view that expressions on an element have, and the function that finds them.
    """
    if isinstance(node, list) and node:
        return _chained(compiler, node)
    if isinstance(node, str) and node.startswith("$parent."):
        return _above(compiler, node.removeprefix("$parent."))
    if isinstance(node, str) and node.startswith("$") and "." not in node:
        return _joined(compiler, compiler.alias(node))
    wraps = isinstance(node, dict) and set(node) == {"values"}
    several = _found(compiler, node)

    def within(record: Node) -> list[Node]:
        objects = _objects(several(record), wraps, node)
        return [
            Node(each, record.place, record.changed, record.dated, record, position)
            for position, each in enumerate(objects, 1)
        ]

    return View(parent=compiler.view), within


def _chained(compiler: Compiler, nodes: list[Any]) -> tuple[View, Elements]:
    view, outer = elements_of(compiler.at(0), nodes[0])
    if len(nodes) == 1:
        return view, outer
    view, inner = elements_of(compiler.looking(view), nodes[1:])
    return view, lambda record: [each for one in outer(record) for each in inner(one)]


def _found(compiler: Compiler, node: Any) -> Expression:
    if not isinstance(node, str) or not is_path(node):
        return compiler.expression(node)
    steps = compiler.steps(node)
    return lambda record: found_at(steps, record.row)


def _above(compiler: Compiler, node: str) -> tuple[View, Elements]:
    if compiler.view.parent is None:
        raise compiler.fail("there is no parent here")
    view, found = elements_of(compiler.looking(compiler.view.parent), node)
    climb = climber(1)
    return view, lambda record: found(climb(record))


def _joined(compiler: Compiler, alias: str) -> tuple[View, Elements]:
    up, view = compiler.find(alias)
    holder = climber(up)

    def records(record: Node) -> list[Node]:
        found = holder(record).joined.get(alias)
        return found if isinstance(found, list) else [] if found is None else [found]

    return view.aliases[alias], records


def _objects(found: Any, wraps: bool, node: Any) -> list[dict[str, Any]]:
    """The objects of a list, of lists in it, or the only one; single values as ``value``."""
    if found is None:
        return []
    several = found if isinstance(found, list) else [found]
    if any(each.__class__ is list for each in several):
        several = [one for each in several for one in (each if isinstance(each, list) else [each])]
    if wraps:
        return [{"value": each} for each in several]
    for each in several:
        if not isinstance(each, dict):
            raise Refusal("not_a_list", f"{shown(node)}: {shown(each)} is no object")
    return several
