"""Operators with regular expressions; RE2 takes time that grows with the text alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import re2

from connectors.mapping.compiler import Compiler
from connectors.mapping.registry import operator
from connectors.mapping.values import Expression, Node, Refusal, as_text, shown

Options = Mapping[str, Any]


@operator("extract", options=("group",), required=("pattern", "otherwise"))
def extract(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{extract: memo, pattern: "RE (\\\\d+)", otherwise: null}``: what the pattern finds first.

    The part in brackets, or all of it where there are none; ``group`` names one of several.
    ``otherwise`` says what becomes of a text without it: ``reject``, ``null`` or a value.
    """
    inner = compiler.expression(argument)
    pattern = _pattern(compiler, options["pattern"])
    group = options.get("group", min(pattern.groups, 1))
    if group not in range(pattern.groups + 1) and group not in pattern.groupindex:
        known = ", ".join(map(str, [*range(1, pattern.groups + 1), *pattern.groupindex]))
        raise compiler.at("group").fail(f"found {shown(group)}; the pattern has {known or 'none'}")
    otherwise = options["otherwise"]
    fallback = None if otherwise == "reject" else compiler.at("otherwise").value(otherwise)

    def extracted(node: Node) -> Any:
        value = inner(node)
        if value is None:
            return None
        found = _searched(pattern, as_text(value))
        if found is not None and found[group]:
            return found[group]
        if fallback is None:
            raise Refusal("no_match", f"{shown(value)} does not hold {pattern.pattern}")
        return fallback(node)

    return extracted


@operator("matches", required=("pattern",))
def matches(compiler: Compiler, argument: Any, options: Options) -> Expression:
    """``{matches: no, pattern: "^SO-"}``: field a holds the pattern; no where it is empty."""
    inner = compiler.expression(argument)
    pattern = _pattern(compiler, options["pattern"])

    def matched(node: Node) -> bool:
        value = inner(node)
        return value is not None and _searched(pattern, as_text(value)) is not None

    return matched


def _pattern(compiler: Compiler, text: Any) -> Any:
    if not isinstance(text, str) or not text:
        raise compiler.at("pattern").fail(f"expected a pattern, found {shown(text)}")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0]
        why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        message = f"{shown(text)} is no pattern of RE2: {why}"
        raise compiler.at("pattern").fail(message) from error


def _searched(pattern: Any, text: str) -> Any:
    try:
        return pattern.search(text)
    except UnicodeEncodeError as error:
        raise Refusal("not_a_text", f"{shown(text)} holds half a sign") from error
