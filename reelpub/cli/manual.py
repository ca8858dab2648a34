"""The manual of the command as Markdown, made from the commands themselves: ``python -m reelpub.cli.manual``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from reelpub.cli.app import command
from reelpub.cli.page import HELP, Example, Page, Sections

__all__ = ["markdown"]

_INTRODUCTION = """\
# The command

This page is made from the commands' own help: `python -m reelpub.cli.manual > docs/cli.md`; a test holds it to that.
`reelpub COMMAND --help` shows the same in a terminal, and `reelpub completion` lets the shell complete it.

On a terminal a run shows its progress at the foot of the screen: how much is done and how long the rest will take at
the limits, how many rows are in each state, and for each provider how much of its limit is used and when the next
request may go. What fails is printed above it and stays. It looks [like this](terminal.txt). Without a terminal each
event is a line, and with `--json` each is an object: first a `run` with its id, then events, an `outcome` for each row,
and a `summary` last; everything else goes to standard error.
"""


def markdown() -> str:
    """Return the whole manual."""
    context = click.Context(command, info_name="reelpub", **HELP)
    parts = [_INTRODUCTION, *_described(command.help or ""), *_sections(command.sections, 2)]
    for title, names in command.chapters.items():
        parts.append(f"## {title}")
        for name in names:
            parts += _page(context, command.commands[name], name)
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _page(parent: click.Context, page: click.Command, name: str) -> Iterator[str]:
    context = click.Context(page, info_name=name, parent=parent)
    yield f"### reelpub {name}"
    yield _block(" ".join(["reelpub", name, *page.collect_usage_pieces(context)]))
    yield from _described(page.help or "")
    options = [parameter.get_help_record(context) for parameter in page.get_params(context)]
    # Newer versions of click give arguments an entry, too, with nothing in it: the page's text tells of them.
    yield "\n".join(f"- `{name}`: {_prose(said)}" for name, said in filter(None, options) if said)
    if isinstance(page, Page):
        yield from _sections(page.sections, 4)


def _described(text: str) -> list[str]:
    return [_prose(" ".join(paragraph.split())) for paragraph in text.split("\n\n")]


def _sections(sections: Sections, level: int) -> Iterator[str]:
    if sections.examples:
        yield f"{'#' * level} Examples"
        yield from _examples(sections.examples)
    for title, entries in sections.lists.items():
        if entries:
            yield f"{'#' * level} {title}"
            yield _table(entries)


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    for example in examples:
        yield example.purpose
        yield _block(example.line)


def _table(entries: Mapping[str, str]) -> str:
    return "\n".join(f"- `{term}`: {_prose(said)}" for term, said in entries.items())


def _block(text: str) -> str:
    return f"```sh\n{text}\n```"


def _prose(text: str) -> str:
    """Return *text* such that Markdown shows it as it is."""
    return text.replace("<", "\\<").replace("*", "\\*").replace("``", "`")


if __name__ == "__main__":
    print(markdown(), end="")
