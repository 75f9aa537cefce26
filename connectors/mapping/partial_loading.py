"""Compiles how the records of a stream hold only the fields that have changed."""

from __future__ import annotations

from typing import Any

from connectors.mapping.compiler import Compiler
from connectors.mapping.elements import elements_of
from connectors.mapping.model import Partial
from connectors.mapping.values import shown

_KEYS = ("each", "nulled")


def load_partial(compiler: Compiler, node: Any, version: Any) -> Partial | None:
    """``partial: true`` or ``partial: {each: …, nulled: {values: path}}`` of a stream."""
    if node is None or node is False:
        return None
    if version != "precise":
        raise compiler.fail("partial records need 'version: precise' to be laid over each other")
    if node is True:
        return Partial(None, None)
    if not isinstance(node, dict) or set(node) - set(_KEYS):
        raise compiler.fail(f"expected true, or {', '.join(_KEYS)}; found {shown(node)}")
    each = None
    if "each" in node:
        _, each = elements_of(compiler.at("each"), node["each"])
    nulled = compiler.at("nulled").expression(node["nulled"]) if "nulled" in node else None
    return Partial(each, nulled)
