"""The page on prompt files."""

from __future__ import annotations

from harness.core.prompt import PromptHead
from harness.prompting.variables import PROMPT_VARIABLES

from .markdown import code, entry, page, prose, table
from .members import key_entries

_INTRO = """
# Prompt file

A prompt is a Jinja file with a head. The head is YAML between two lines of three hyphens. It is the contract: which
fields a reply may fill, and where in the reply they stand. What follows are the turns of the conversation.
A prompt of your own is `DIR/family/name.j2`; see [A prompt of your own](../jobs/own-prompt.md).

```jinja
---
description: Describes the face, then asks for one word.
fields: [emotion]
answer: final
protocol: describe-then-answer
replies: {look: []}
---
{% user %}{{ image }} Describe this face.{% enduser %}
{% reply as look %}
{% user %}Which of these is it: {{ labels | join(", ") }}? End with "Answer:" and one word.{% enduser %}
```
"""

_TAGS = (
    ("{% system %}...{% endsystem %}", "A system turn. Models without one get it at the head of the first user turn, "
     "and the record says so."),
    ("{% user %}...{% enduser %}", "A user turn. Pictures stand where they are printed."),
    ("{% assistant %}...{% endassistant %}", "A turn of the model that is written in advance, such as the answer of a "
     "few-shot example."),
    ("{% reply as NAME %}", "The model replies here. What follows may print the reply as `{{ NAME }}`. Without this "
     "tag the model replies once, at the end."),
    ("{% new conversation %}", "Begins a new conversation: the model is sent nothing of what was said before."),
)  # fmt: skip

_RULES = """
## Rules

- Jinja's own tags work: `if`, `for`, `set`, `macro`, `include`, `import`, `extends` and `block`.
- Templates run in a sandbox with limits on time and size. They cannot reach files or Python.
- An undefined variable is an error, not an empty text.
- Text of the data set is data. A template in it is not run, and control words of chat templates in it are made
  harmless.
- `harness lint` finds faults before a model is asked. `harness show TASK --prompt NAME` prints the exact messages.
"""


def prompt_file_page() -> str:
    """Every key of a prompt's head, every tag and every variable."""
    variables = [(code(name), prose(text)) for name, text in PROMPT_VARIABLES.items()]
    return page(
        _INTRO,
        "## Keys of the head",
        key_entries(PromptHead),
        "## Tags",
        *(entry(tag, "", text) for tag, text in _TAGS),
        "## Variables",
        table(("variable", "what it is"), variables),
        _RULES,
    )
