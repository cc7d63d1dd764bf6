"""A MkDocs hook that adds the reference: pages made from the types at each build, so that they are never old."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from reference import pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add `reference/*.md` to the files of the site."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files
