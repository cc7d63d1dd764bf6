"""The prompt library: find, check and compile prompt files, and render them per sample."""

from __future__ import annotations

import contextlib
import difflib
import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import jinja2
from jinja2 import meta, nodes

from harness.core.errors import HarnessError
from harness.core.folders import Folders
from harness.core.label_texts import label_turns
from harness.core.message import Message, Text, Visual
from harness.core.prompt import Prompt, Rendering
from harness.prompting.engine import StrayText, TemplateEngine, located
from harness.prompting.faults import PromptError
from harness.prompting.files import SUFFIX, File, Shelf
from harness.prompting.form import Form, form_of, shape_of, stand_ins
from harness.prompting.head import parse_head, split_head
from harness.prompting.slots import PictureSlots, legible
from harness.prompting.survey import Survey, check, references, stray_place, survey
from harness.prompting.variables import each_label

MAX_NODES = 30_000
"""Most tags, expressions and values that a prompt may have with all its parts, as Jinja counts them: compiling so
many takes a second or two, and a long prompt has some hundred."""

_NO_REPLIES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A prompt with what a rendering needs of it."""

    prompt: Prompt
    template: jinja2.Template
    survey: Survey


class Library:
    """Prompts by name, from folders searched in order.

    A file is read once; what is rendered later is what the digest covers, even if the file
    changes meanwhile. A library may be shared by threads: renderings share compiled templates, and
    forms that are never changed.
    """

    def __init__(self, folders: Folders | Iterable[Path]) -> None:
        """Raises HarnessError for a folder that is not there."""
        self._shelf = Shelf.of(folders)
        self._files: dict[str, File] = {}
        self._engine = TemplateEngine(self._template_text)
        self._loaded: dict[str, _Loaded] = {}
        self._forms: dict[tuple[str, tuple[int, ...]], Form] = {}
        """Prompt and shape of what is shown -> the last form without replies: most samples share it."""

    def names(self) -> tuple[str, ...]:
        """The prompts there are, sorted: `emotion/plain`. Files and folders whose name starts with
        `_` hold parts, not prompts."""
        prompts = {name.removesuffix(SUFFIX) for name in self._shelf.names() if not _is_part(name)}
        return tuple(sorted(prompts))

    def own_names(self) -> tuple[str, ...]:
        """The prompts in a person's own folders, sorted."""
        own = self.folders.own
        return tuple(n for n in self.names() if any((f / (n + SUFFIX)).is_file() for f in own))

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The names that a pattern with `*`, `?` or `[...]` matches, sorted; a plain name as it is.

        Raises HarnessError, naming near ones, where a pattern matches none.
        """
        if not set(pattern) & set("*?["):
            return (pattern,)
        found = tuple(name for name in self.names() if fnmatch.fnmatchcase(name, pattern))
        if not found:
            raise self._absent(pattern)
        return found

    @property
    def folders(self) -> Folders:
        """Where it looks, resolved."""
        return self._shelf.folders

    def prompt(self, name: str) -> Prompt:
        """The prompt of that name.

        Raises HarnessError where there is none (listing close names) or where the file, or one it
        extends, includes or imports, is wrong (naming file, line and hint).
        """
        return self._load(name).prompt

    def render(
        self,
        prompt: Prompt,
        *,
        variables: Mapping[str, object],
        pictures: Sequence[Visual],
        replies: Mapping[str, str] = _NO_REPLIES,
    ) -> Rendering:
        """The conversation up to the next reply that the model owes.

        A template sees of a picture only its number, so where variables are those of the rendering
        before, the very same objects, its form is filled with these pictures. `variables` are those of PROMPT_VARIABLES except the pictures' own (`field_variables`
        makes them from field specs); `replies` holds the model's text by the name in its
        `{% reply as NAME %}`. Raises HarnessError naming template, line and hint.
        """
        loaded = self._same(prompt)
        if replies or variables.get("exemplars") or variables.get("paired"):
            return self._render(loaded, variables, pictures=pictures, replies=replies)
        place = (prompt.name, shape_of(pictures))
        form = self._forms.get(place)
        if form is None or not form.suits(variables):
            blank = stand_ins(place[1])
            rendering = self._render(loaded, variables, pictures=blank, replies=replies)
            form = self._forms[place] = form_of(rendering, blank, variables)
        return form.filled(pictures)

    def _render(
        self,
        loaded: _Loaded,
        variables: Mapping[str, object],
        *,
        pictures: Sequence[Visual],
        replies: Mapping[str, str],
    ) -> Rendering:
        album = PictureSlots()
        if loaded.prompt.head.family == "dual":
            return self._label_texts(loaded, variables, pictures=pictures)
        slots = album.add(pictures)
        given: dict[str, object] = {"exemplars": (), **variables}
        if given["exemplars"]:
            given["exemplars"] = album.slotted(given["exemplars"])
        if "paired" in given:
            given["paired"] = album.slotted(given["paired"])
        count = sum(frames or 1 for frames in shape_of(pictures))
        given |= {"images": slots, "frames": slots, "n_frames": count}
        if slots:
            given["image"] = slots[0]
        known = {name: replies[name] for name in loaded.survey.replies if name in replies}
        try:
            rendering = self._engine.run(loaded.template, given, album=album, replies=known)
        except StrayText as stray:
            raise self._stray(loaded, stray.text) from None
        if not rendering.messages:
            raise PromptError(
                loaded.prompt.name + SUFFIX,
                0,
                "the prompt has no turn",
                hint="add {% user %} ... {% enduser %}",
            )
        return _textless(rendering, loaded) if loaded.prompt.head.family == "none" else rendering

    def _label_texts(
        self, loaded: _Loaded, variables: Mapping[str, object], *, pictures: Sequence[Visual]
    ) -> Rendering:
        """The turns of a prompt of the family dual: its template rendered for each label."""
        name = loaded.prompt.name + SUFFIX
        texts = {
            label: self._engine.lines(loaded.template, {**variables, **own})
            for label, own in each_label(variables)
        }
        for label, lines in texts.items():
            if not lines:
                raise PromptError(
                    name, 0, f"there is no text for the label {label!r}",
                    hint="print at least one line for every label; {{ label }} is its name",
                )  # fmt: skip
        if not texts:
            raise PromptError(
                name, 0, "no requested field has labels", hint="use a task with a field of labels"
            )
        return Rendering(label_turns(pictures, texts), None)

    def variables(self, prompt: Prompt) -> frozenset[str]:
        """The names that the prompt, its parents, includes and imports expect to be given."""
        return self._same(prompt).survey.variables

    def survey(self, prompt: Prompt) -> Survey:
        """What is known of the prompt's files without rendering them."""
        return self._same(prompt).survey

    def _same(self, prompt: Prompt) -> _Loaded:
        loaded = self._load(prompt.name)
        if loaded.prompt.digest != prompt.digest:
            raise HarnessError(
                f"prompt {prompt.name} does not belong to this library",
                hint="render it with the library that loaded it",
            )
        return loaded

    def _load(self, name: str) -> _Loaded:
        loaded = self._loaded.get(name)
        if loaded is None:
            loaded = self._loaded[name] = self._read(name)
        return loaded

    def _read(self, name: str) -> _Loaded:
        file = None if _is_part(name) else self._file(name + SUFFIX)
        if file is None:
            raise self._absent(name)
        trees = self._closure(file.name)
        template = self._compiled(file.name, trees)
        digest = hashlib.sha256()
        for part in sorted(trees):
            text = self._files[part].text.encode()
            digest.update(f"{part}\n{len(text)}\n".encode() + text)
        head = parse_head(file.text, file=file.name)
        prompt = Prompt(name, file.path, head, file.text, digest.hexdigest())
        return _Loaded(prompt, template, survey(trees, main=file.name))

    def _file(self, name: str) -> File | None:
        file = self._files.get(name)
        if file is None:
            file = self._shelf.read(name)
            if file is not None:
                self._files[name] = file
        return file

    def _template_text(self, name: str) -> str:
        """What the engine compiles: the file without its front matter. All files of a prompt have
        been read before the engine asks."""
        return split_head(self._files[name].text)[1]

    def _closure(self, main: str) -> dict[str, nodes.Template]:
        """The parsed file and every file it refers to, directly or not."""
        trees: dict[str, nodes.Template] = {}
        size = 0

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                chain = " -> ".join([*path[path.index(name) :], name])
                raise PromptError(
                    path[-1], 0, f"files include each other in a circle: {chain}", hint="break it"
                )
            if name in trees:
                return
            nonlocal size
            tree = trees[name] = self._tree(name)
            with _reading(name):
                size += sum(1 for _ in tree.find_all(nodes.Node))
                wanted = tuple(references(tree, file=name))
            if size > MAX_NODES:
                raise PromptError(
                    name,
                    0,
                    "the prompt and its parts have too many tags and expressions",
                    hint="loop over the variables given instead of writing each out",
                )
            for target, line in wanted:
                self._need(target, file=name, line=line)
                visit(target, (*path, name))

        visit(main, ())
        return trees

    def _tree(self, name: str) -> nodes.Template:
        with _reading(name):
            tree = self._engine.parse(self._template_text(name), name)
            check(tree, file=name)
        return tree

    def _need(self, target: str, *, file: str, line: int) -> None:
        try:
            found = self._file(target)
        except PromptError:
            raise
        except HarnessError as error:
            raise PromptError(file, line, error.message, hint=error.hint) from None
        if found is None:
            raise PromptError(
                file,
                line,
                f"there is no file {target}",
                hint="names are relative to the prompt folder, such as emotion/_base.j2",
            )

    def _compiled(self, main: str, trees: Mapping[str, nodes.Template]) -> jinja2.Template:
        """Compiles every file, so that what is wrong shows now and not at the first sample."""
        for name in trees:
            with _reading(name):
                self._engine.get_template(name)
                meta.find_undeclared_variables(trees[name])
        return self._engine.get_template(main)

    def _absent(self, name: str) -> HarnessError:
        names = self.names()
        path = Path(name)
        if name.endswith(SUFFIX) and path.is_file() and len(path.parts) > 1:
            short = f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}"
            return HarnessError(
                f"unknown prompt {name!r}",
                hint=f"prompts are named, not their files: --prompts {path.parent.parent} and {short}",
            )
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        close = close or [other for other in names if name and name in other][:3]
        hint = f"did you mean {', '.join(close)}?" if close else f"prompts: {', '.join(names)}"
        if "*" in name:
            hint += "; name the folder of your own prompts with --prompts DIR"
        hint += self._own_note(name) + self.folders.note()
        return HarnessError(f"unknown prompt {name!r}", hint=hint)

    def _own_note(self, name: str) -> str:
        """What a person's own folders hold that explains why `name` is not found; empty where nothing does."""
        family, _, rest = name.partition("/")
        for folder in self.folders.own:
            inside = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
            if rest and folder.name == family and inside:
                return f"; in {folder}, names are relative to that folder: {', '.join(inside[:5])}"
            for path in sorted(folder.glob(f"{name}.*")) if _plain(name) else ():
                if path.suffix != SUFFIX:
                    return f"; {path} is ignored: prompt files end in {SUFFIX}"
        return ""

    def _stray(self, loaded: _Loaded, text: str) -> PromptError:
        file, line = stray_place(loaded.survey, text)
        shown = legible(text)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return PromptError(
            file,
            line,
            f"text outside all turns: {shown!r}",
            hint="move it into a turn, or make it a comment {# #}",
        )


def _textless(rendering: Rendering, loaded: _Loaded) -> Rendering:
    """The rendering of a prompt of the family `none`, turn by turn, without the white space between its pictures. Raises
    PromptError where it holds more than pictures."""
    parts = [part for message in rendering.messages for part in message.parts]
    if any(isinstance(part, Text) and not part.text.isspace() for part in parts):
        raise PromptError(
            loaded.prompt.name + SUFFIX, 0, "a prompt of the family none shows text",
            hint="print pictures alone, or use another family",
        )  # fmt: skip
    shown = [
        tuple(part for part in message.parts if not isinstance(part, Text))
        for message in rendering.messages
    ]
    turns = tuple(Message("user", pictures) for pictures in shown if pictures)
    return Rendering(turns or (Message("user", ()),), rendering.awaiting)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """What Jinja and Python cannot read of the template `name`, as a PromptError."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise located(error, name) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise PromptError(
            name, 0, "the template is nested too deeply", hint="nest and chain less of it"
        ) from None
    except (ValueError, OverflowError) as error:
        raise PromptError(
            name, 0, f"the template cannot be read: {error}", hint="write shorter numbers and texts"
        ) from None


def _plain(name: str) -> bool:
    """Whether a name is no pattern and stays inside the folders."""
    return bool(name) and not set(name) & set("*?[\0") and ".." not in name and name[0] != "/"


def _is_part(name: str) -> bool:
    return any(segment.startswith("_") for segment in name.split("/"))
