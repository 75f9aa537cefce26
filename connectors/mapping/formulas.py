"""Turns a formula into a function of a record: rule-engine parses it, and only what is listed here
is taken from it. Nothing of a formula is run by the library, so none of its attributes, regular
expressions, powers or comprehensions can be reached, and the time it takes has a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException, localcontext
from operator import ge, gt, le, lt
from typing import Any

from rule_engine import Context, Rule, ast
from rule_engine.errors import EngineError, RuleSyntaxError

from connectors.mapping.compiler import Compiler
from connectors.mapping.operators.numbers import EXACT, parse_decimal, rounded, step_of
from connectors.mapping.operators.tests import compared, parse_bool, same
from connectors.mapping.values import Expression, Node, Refusal, as_text

_CALCULATIONS = {
    "add": (EXACT.add, "add"),
    "sub": (EXACT.subtract, "subtract"),
    "mul": (EXACT.multiply, "multiply"),
    "tdiv": (EXACT.divide, "divide"),
}
_COMPARISONS = {"gt": gt, "ge": ge, "lt": lt, "le": le}
_LITERALS = (
    ast.BooleanExpression,
    ast.FloatExpression,
    ast.NullExpression,
    ast.StringExpression,
)


class Formula:
    """Compiles one formula; ``names`` are then those that it uses.

    ``given`` says what some names stand for, all others are fields of the record. ``endless``
    says that it divides by something that leaves no end to the digits, with no rounding.
    """

    def __init__(self, compiler: Compiler, given: Mapping[str, Expression]) -> None:
        self.names: set[str] = set()
        self.endless = False
        self._compiler = compiler
        self._given = given

    def compile(self, text: str) -> Expression:
        """The function of a record that works the formula out.

        Raises:
            Fault: it is not written as one, with the place, or uses what is not allowed.
        """
        try:
            with localcontext(EXACT):
                statement = Rule(text, Context(default_timezone="utc")).statement
        except RuleSyntaxError as error:
            token = error.token
            where = "at its end" if token is None else f"at character {token.lexpos + 1}"
            raise self._compiler.fail(f"the formula cannot be read {where}: {text}") from error
        except (EngineError, DecimalException, RecursionError) as error:
            why = getattr(error, "message", "") or type(error).__name__
            raise self._compiler.fail(f"the formula cannot be read: {why}: {text}") from error
        return self._of(statement.expression)

    def _of(self, node: Any) -> Expression:
        if isinstance(node, _LITERALS):
            return self._constant(node.value)
        if isinstance(node, ast.SymbolExpression) and node.scope is None:
            self.names.add(node.name)
            return self._given.get(node.name) or self._compiler.column(node.name)
        if isinstance(node, ast.UnaryExpression):
            return self._unary(node)
        if isinstance(node, ast.TernaryExpression):
            return self._choice(node)
        if isinstance(node, ast.ContainsExpression):
            return self._membership(node)
        if isinstance(node, ast.FunctionCallExpression):
            return self._call(node)
        if isinstance(node, ast.BinaryExpressionBase | ast.CoalesceExpression):
            return self._binary(node)
        raise self._refused(node)

    def _constant(self, value: Any) -> Expression:
        if value.__class__ is Decimal:
            if not value.is_finite():
                raise self._compiler.fail("nan and inf are no numbers")
            # The library works 1 / 3 out as it reads it.
            self.endless |= len(value.as_tuple().digits) == EXACT.prec
        return lambda _: value

    def _refused(self, node: Any) -> Exception:
        kind = type(node).__name__.removesuffix("Expression")
        allowed = "+ - * / == != < <= > >= and or not in ?? a ? b : c abs min max round"
        return self._compiler.fail(f"{kind} has no place in a formula; allowed: {allowed}")

    def _unary(self, node: ast.UnaryExpression) -> Expression:
        inner = self._of(node.right)
        kind = node.type.lower()
        if kind == "not":
            return lambda record: not parse_bool(inner(record))
        if kind != "uminus":
            raise self._refused(node)

        def negated(record: Node) -> Decimal | None:
            number = parse_decimal(inner(record))
            return None if number is None else EXACT.minus(number)

        return negated

    def _choice(self, node: ast.TernaryExpression) -> Expression:
        test = self._of(node.condition)
        then, otherwise = self._of(node.case_true), self._of(node.case_false)
        return lambda record: then(record) if parse_bool(test(record)) else otherwise(record)

    def _membership(self, node: ast.ContainsExpression) -> Expression:
        member = self._of(node.member)
        if not isinstance(node.container, ast.ArrayExpression):
            raise self._compiler.fail("'in' needs a list of values: a in ['X', 'Y']")
        values = [self._of(each) for each in node.container.value]
        return lambda record: any(same(member(record), value(record)) for value in values)

    def _binary(self, node: ast.BinaryExpressionBase) -> Expression:
        kind = "coalesce" if isinstance(node, ast.CoalesceExpression) else node.type
        left, right = self._of(node.left), self._of(node.right)
        if kind in _CALCULATIONS:
            self.endless |= kind == "tdiv" and not _ends(node.right)
            return _calculated(left, right, *_CALCULATIONS[kind])
        if kind in _COMPARISONS:
            compare = _COMPARISONS[kind]
            return lambda record: compared(compare, left(record), right(record))
        if kind == "eq":
            return lambda record: same(left(record), right(record))
        if kind == "ne":
            return lambda record: not same(left(record), right(record))
        if kind == "and":
            return lambda record: parse_bool(left(record)) and parse_bool(right(record))
        if kind == "or":
            return lambda record: parse_bool(left(record)) or parse_bool(right(record))
        if kind == "coalesce":
            return lambda record: right(record) if (one := left(record)) is None else one
        raise self._refused(node)

    def _call(self, node: ast.FunctionCallExpression) -> Expression:
        name = node.function.name if isinstance(node.function, ast.SymbolExpression) else ""
        endless = self.endless
        several = [self._of(each) for each in node.arguments]
        if name == "abs" and len(several) == 1:
            return _extreme(several, lambda numbers: EXACT.abs(numbers[0]))
        if name in ("min", "max") and several:
            return _extreme(several, min if name == "min" else max)
        if name == "round" and len(several) == 2:
            step = step_of(self._compiler, _whole(node.arguments[1]))
            self.endless = endless
            return _extreme(several[:1], lambda numbers: rounded(numbers[0], step))
        raise self._compiler.fail("expected abs(a), min(a, b), max(a, b) or round(a, 2)")


def _whole(node: Any) -> int | None:
    """The whole number that is written there, if it is one."""
    value = node.value if isinstance(node, ast.FloatExpression) else None
    return None if value is None or value != value.to_integral_value() else int(value)


def _ends(divisor: Any) -> bool:
    """Whether a quotient by this constant ends: it has no prime factors but 2 and 5."""
    if not isinstance(divisor, ast.FloatExpression) or not divisor.value:
        return False
    rest, _ = abs(divisor.value).as_integer_ratio()
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return bool(rest == 1)


def _calculated(
    left: Expression, right: Expression, step: Callable[[Decimal, Decimal], Decimal], what: str
) -> Expression:
    def calculate(record: Node) -> Decimal | None:
        one, other = parse_decimal(left(record)), parse_decimal(right(record))
        if one is None or other is None:
            return None
        try:
            return step(one, other)
        except DecimalException as error:
            reason = f"cannot {what} {as_text(one)} and {as_text(other)}"
            raise Refusal("calculation", reason) from error

    return calculate


def _extreme(several: list[Expression], choose: Callable[[list[Decimal]], Decimal]) -> Expression:
    def chosen(record: Node) -> Decimal | None:
        numbers = [parse_decimal(each(record)) for each in several]
        present = [number for number in numbers if number is not None]
        return choose(present) if len(present) == len(numbers) else None

    return chosen
