"""Small faults that can be put into a module's text: each is one that a slip of the hand makes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TURNED = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
}
_SHIFTED = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
_COUNTED = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
}
_UNTOUCHED = {"debug", "info", "warning", "exception", "cast", "sleep", "nice", "gc"}
"""Calls that leave no trace which a test could see: left out, they are no fault."""
_LARGEST_COUNT = 2
"""A larger number is a limit or a size: one more of it is rarely a fault."""


@dataclass(frozen=True)
class Fault:
    """One change of a text; positions count bytes of its UTF-8 form."""

    line: int
    start: int
    end: int
    text: str
    kind: str

    def put_into(self, source: str) -> str:
        data = source.encode()
        return (data[: self.start] + self.text.encode() + data[self.end :]).decode()


def faults(source: str) -> list[Fault]:
    """Every fault of a module, in the order of its lines. Raises SyntaxError."""
    found = dict.fromkeys(_Finder(source).of(ast.parse(source)))
    return sorted(found, key=lambda each: (each.line, each.start, each.kind, each.text))


class _Finder:
    """Walks a module; annotations, decorators, docstrings and asserts are left as they are."""

    def __init__(self, source: str) -> None:
        self._data = source.encode()
        self._starts = [0]
        for line in self._data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.AST) -> Iterator[Fault]:
        if isinstance(node, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.If) and _is_for_tools(node.test):
            return
        if isinstance(node, ast.expr | ast.comprehension):
            yield from self._in_expression(node)
        elif isinstance(node, ast.stmt):
            yield from self._in_statement(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    yield from self.of(child)

    def _in_expression(self, node: ast.expr | ast.comprehension) -> Iterator[Fault]:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                for kind, table in (("comparison turned", _TURNED), ("limit shifted", _SHIFTED)):
                    if type(op) in table:
                        yield from self._between(left, right, *table[type(op)], kind)
                yield from self._keys([left, right])
            case ast.BoolOp(op=op, values=values):
                old, new = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                for left, right in zip(values, values[1:], strict=False):
                    yield from self._between(left, right, old, new, f"{old} became {new}")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._at(node, f"({self._text(operand)})", "not left out")
            case ast.IfExp(test=test) if not isinstance(test, ast.Compare):
                yield self._negated(test)
            case ast.comprehension(ifs=tests):
                yield from (self._negated(each) for each in tests)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _COUNTED:
                if not any(_is_text(each) for each in (left, right)):
                    yield from self._between(left, right, *_COUNTED[type(op)], "arithmetic turned")
            case ast.Constant(value=bool(value)):
                yield self._at(node, str(not value), f"{value} became {not value}")
            case ast.Constant(value=int(value)) if value <= _LARGEST_COUNT:
                yield self._at(node, str(value + 1), "number one higher")
            case ast.Subscript(slice=index, ctx=ast.Load()):
                yield from self._keys([index])
            case ast.Dict(keys=keys):
                yield from self._keys([key for key in keys if key is not None])

    def _in_statement(self, node: ast.stmt) -> Iterator[Fault]:
        match node:
            case ast.If(test=test) | ast.While(test=test) if not _turned_elsewhere(test):
                yield self._negated(test)
            case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
                if _called(node) not in _UNTOUCHED:
                    yield self._at(node, "pass", "call left out")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign():
                yield self._at(node, "pass", "assignment left out")
            case ast.Raise():
                yield self._at(node, "pass", "raise left out")
            case ast.Break():
                yield self._at(node, "continue", "break became continue")
            case ast.Continue():
                yield self._at(node, "break", "continue became break")
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield self._at(node, "return None", "nothing returned")

    def _negated(self, test: ast.expr) -> Fault:
        return self._at(test, f"(not ({self._text(test)}))", "condition turned")

    def _keys(self, nodes: list[ast.expr]) -> Iterator[Fault]:
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
                yield self._at(node, repr(node.value + "X"), "another word")

    def _between(
        self, left: ast.expr, right: ast.expr, old: str, new: str, kind: str
    ) -> Iterator[Fault]:
        """The operator that stands between two operands, with their brackets, is another."""
        start, end = self._end(left), self._start(right)
        gap = self._data[start:end].decode()
        if found := re.search(old, re.sub("#[^\n]*", lambda each: " " * len(each[0]), gap)):
            before = len(gap[: found.start()].encode())
            after = len(gap[: found.end()].encode())
            yield Fault(left.lineno, start + before, start + after, new, kind)

    def _at(self, node: ast.expr | ast.stmt, text: str, kind: str) -> Fault:
        return Fault(node.lineno, self._start(node), self._end(node), text, kind)

    def _text(self, node: ast.expr) -> str:
        return self._data[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_for_tools(test: ast.expr) -> bool:
    """``if TYPE_CHECKING`` and ``if __name__ == ...``."""
    names = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _turned_elsewhere(test: ast.expr) -> bool:
    """A comparison and a ``not`` are turned where they stand; ``while True`` has no condition."""
    negation = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return negation or isinstance(test, ast.Compare | ast.Constant)


def _called(node: ast.Expr) -> str:
    call = node.value.value if isinstance(node.value, ast.Await) else node.value
    assert isinstance(call, ast.Call)
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
