"""Facts about a prompt's files that are known without rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import meta, nodes

from harness.prompting.faults import PromptError
from harness.prompting.turns import called, reply_names


@dataclass(frozen=True, slots=True)
class Survey:
    """A prompt's files, parsed, with the names they use."""

    main: str
    trees: Mapping[str, nodes.Template]
    variables: frozenset[str]
    """Names that must be given from outside; replies are not among them."""
    replies: tuple[str, ...]

    @property
    def optional(self) -> frozenset[str]:
        """Names that are used only where they are defined: behind `is defined` or `default`."""
        return frozenset(name for tree in self.trees.values() for name in _asked_for(tree))

    def place(self, variable: str) -> tuple[str, int]:
        """The first file and line that reads a variable."""
        for file in (self.main, *sorted(self.trees)):
            for node in self.trees[file].find_all(nodes.Name):
                if node.name == variable and node.ctx == "load":
                    return file, node.lineno
        return self.main, 0


def survey(trees: Mapping[str, nodes.Template], *, main: str) -> Survey:
    """What the parsed files of one prompt expect."""
    replies = tuple(dict.fromkeys(name for tree in trees.values() for name in reply_names(tree)))
    stored = {file: _stored(tree) for file, tree in trees.items()}
    shared = {name for tree in trees.values() for name in _top_level(tree)}
    wanted: set[str] = set()
    for file, tree in trees.items():
        elsewhere = {name for other, names in stored.items() if other != file for name in names}
        wanted |= meta.find_undeclared_variables(tree) - elsewhere
    return Survey(main, dict(trees), frozenset(wanted - shared - set(replies)), replies)


def _asked_for(tree: nodes.Template) -> Iterator[str]:
    tests = [node for node in tree.find_all(nodes.Test) if node.name in {"defined", "undefined"}]
    kept = [node for node in tree.find_all(nodes.Filter) if node.name in {"default", "d"}]
    for node in (*tests, *kept):
        if isinstance(node.node, nodes.Name):
            yield node.node.name


def references(tree: nodes.Template, *, file: str) -> Iterator[tuple[str, int]]:
    """The files that `extends`, `include` and `import` name, each with its line.

    Raises PromptError for a name that is computed: the digest could not cover it.
    """
    for node in _referring(tree):
        target = node.template
        items = target.items if isinstance(target, (nodes.List, nodes.Tuple)) else [target]
        for item in items:
            if not isinstance(item, nodes.Const) or not isinstance(item.value, str):
                raise PromptError(
                    file,
                    node.lineno,
                    f"`{type(node).__name__.lower()}` uses a computed file name",
                    hint="write the file name in quotes, and put a condition around the tag",
                )
            yield item.value, node.lineno


def _referring(
    tree: nodes.Template,
) -> Iterator[nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport]:
    yield from tree.find_all(nodes.Extends)
    yield from tree.find_all(nodes.Include)
    yield from tree.find_all(nodes.Import)
    yield from tree.find_all(nodes.FromImport)


def check(tree: nodes.Template, *, file: str) -> None:
    """Raises PromptError for what Jinja would drop without a word: text and turns that stand
    beside the blocks of a file that extends another."""
    if not any(isinstance(node, nodes.Extends) for node in tree.body):
        return
    for node in tree.body:
        line = node.lineno
        if isinstance(node, nodes.Output):
            text = _first_text(node)
            if text is not None and not text.strip():
                continue
            line += _leading_lines(text or "")
        elif called(node) is None:
            continue
        raise PromptError(
            file,
            line,
            "this is outside all blocks of a file that extends another one, so it is never shown",
            hint="move it into a block that the other file has",
        )


def stray_place(found: Survey, text: str) -> tuple[str, int]:
    """Where text that was printed outside every turn probably stands."""
    for file in (found.main, *sorted(set(found.trees) - {found.main})):
        for output in _outside(found.trees[file]):
            line = output.lineno
            for node in output.nodes:
                if not isinstance(node, nodes.TemplateData):
                    return file, node.lineno
                said = node.data.strip()
                if said and (said in text or text in said):
                    return file, line + _leading_lines(node.data)
                line += node.data.count("\n")
    return found.main, 0


def _outside(node: nodes.Node) -> Iterator[nodes.Output]:
    """The outputs that stand in no turn of this file, nor in a macro."""
    for child in node.iter_child_nodes():
        if called(child) == "turn" or isinstance(child, nodes.Macro):
            continue
        if isinstance(child, nodes.Output):
            yield child
        else:
            yield from _outside(child)


def _leading_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _first_text(output: nodes.Output) -> str | None:
    """The output's text where it is nothing but text, else None."""
    if all(isinstance(node, nodes.TemplateData) for node in output.nodes):
        return "".join(node.data for node in output.nodes if isinstance(node, nodes.TemplateData))
    return None


def _stored(tree: nodes.Template) -> set[str]:
    """Every name that the file itself sets: loops, assignments, macros, imports."""
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    names |= {node.name for node in tree.find_all(nodes.Macro)}
    names |= {node.target for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.FromImport):
        names |= {name if isinstance(name, str) else name[1] for name in node.names}
    return names


def _top_level(tree: nodes.Template) -> set[str]:
    """The names that the file sets for its blocks and for the files it extends or includes."""
    body = nodes.Template([node for node in tree.body if not isinstance(node, nodes.Block)])
    outside = [node for node in body.body if called(node) != "turn"]
    return _stored(nodes.Template([n for n in outside if not isinstance(n, nodes.For)]))
