"""Meters: count the work of a template while it runs.

Every loop round, call, filter, test, macro and included file is a step. Every value is weighed with all that it
holds before it goes into a list or a comparison, to a filter or a macro, so that no value grows without being
counted. `Record` says how much there may be.
"""

from __future__ import annotations

from typing import cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from harness.prompting.turns import Turns, called

_BODIES = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)
"""What runs its body as often as it is asked to, and counts that itself."""


class Meters(NodeTransformer):
    """Puts the meters into a parsed template; lets imports see the variables."""

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802 (Jinja's naming)
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._counted(node)

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802
        return self._counted(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802
        if called(node) == "turn":  # runs once where it stands; its text is counted as it is said
            self.generic_visit(node)
            return node
        return self._counted(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        node = cast(nodes.For, self._counted(node, steps=0))
        node.iter = _metered("rounds", cast(nodes.Expr, node.iter), line=node.lineno)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._weighed_items(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        return self._weighed_items(node) if node.ctx == "load" else node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.key, node.value = _weighed(node.key), _weighed(node.value)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _weighed(node.expr)
        for operand in node.ops:
            operand.expr = _weighed(operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            return _weighed(node)
        node.arg = _weighed(node.arg)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _metered("joined", nodes.List(node.nodes, lineno=node.lineno), line=node.lineno)

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:  # noqa: N802
        return [_meter(0, 1, line=node.lineno), node]

    def visit_Import(self, node: nodes.Import) -> nodes.Node:  # noqa: N802
        node.with_context = True
        return node

    def visit_FromImport(self, node: nodes.FromImport) -> nodes.Node:  # noqa: N802
        node.with_context = True
        return node

    def _counted(self, node: nodes.Node, *, steps: int = 1) -> nodes.Node:
        """The body begins by counting itself and the text of its own."""
        self.generic_visit(node)
        body = cast("list[nodes.Node]", getattr(node, "body"))  # noqa: B009 (no type has it in common)
        body.insert(0, _meter(sum(map(_text_size, body)), steps, line=node.lineno))
        return node

    def _weighed_items(self, node: nodes.List | nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        node.items = [_weighed(item) for item in node.items]
        return node


def _weighed(node: nodes.Expr) -> nodes.Expr:
    """The expression put through the scales; what is written out in the template is as long as it is written."""
    if isinstance(node, nodes.Const | nodes.TemplateData):
        return node
    return _metered("weighed", node, line=node.lineno)


def _meter(size: int, steps: int, *, line: int) -> nodes.ExprStmt:
    """A statement that counts `size` characters and `steps`."""
    counted = _metered("ran", nodes.Const(size), nodes.Const(steps), line=line)
    return nodes.ExprStmt(counted, lineno=line)


def _metered(name: str, *arguments: nodes.Expr, line: int) -> nodes.Call:
    method = nodes.ExtensionAttribute(Turns.identifier, name, lineno=line)
    return nodes.Call(method, [nodes.ContextReference(), *arguments], [], None, None, lineno=line)


def _text_size(node: nodes.Node) -> int:
    """Characters of the template's own text in a body, inner bodies left to themselves."""
    if isinstance(node, nodes.TemplateData):
        return len(node.data)
    if isinstance(node, _BODIES) and called(node) != "turn":
        return 0
    return sum(map(_text_size, node.iter_child_nodes()))
