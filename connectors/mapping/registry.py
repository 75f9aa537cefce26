"""The one list of operators of the mapping language; each registers itself here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.mapping.compiler import Compiler
    from connectors.mapping.values import Expression

Compile = Callable[["Compiler", Any, Mapping[str, Any]], "Expression"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: the options it takes, those it must have, and how it is compiled."""

    name: str
    options: frozenset[str]
    required: frozenset[str]
    compile: Compile


OPERATORS: dict[str, Operator] = {}


def operator(
    name: str, *, options: tuple[str, ...] = (), required: tuple[str, ...] = ()
) -> Callable[[Compile], Compile]:
    """Register the decorated function as the operator ``name``.

    The function gets the compiler (at the operator's place), what stands under its name, and
    its options; it returns the compiled expression or raises ``compiler.fail(…)``.
    """

    def register(compile_operator: Compile) -> Compile:
        if name in OPERATORS:
            raise ValueError(f"operator {name!r} is registered twice")
        OPERATORS[name] = Operator(
            name, frozenset(options) | frozenset(required), frozenset(required), compile_operator
        )
        return compile_operator

    return register
