"""A command's help as a manual page: what it does, its options, examples, how it ends, what it reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from attrs import frozen

__all__ = [
    "ENVIRONMENT",
    "EXITS",
    "HELP",
    "KEYS",
    "RUN_EXITS",
    "STORE_ENVIRONMENT",
    "STORE_FILES",
    "UNREAD",
    "Example",
    "Page",
    "PagedGroup",
    "Sections",
]

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
KEYS: Mapping[str, str] = {
    "REELMIRROR_API_KEY, REAP_API_KEY": "The keys. A provider without one isn't used.",
    "REELMIRROR_BASE_URL, REAP_BASE_URL": "Where the services are, if elsewhere: `reelpub sandbox` prints both.",
    "REELPUB_SANDBOX_CLOCK": "The clock of a sandbox that runs fast, as `reelpub sandbox --speed` prints it.",
}
ENVIRONMENT: Mapping[str, str] = {
    **KEYS,
    "NO_COLOR, TERM, COLUMNS": "No colours; what the terminal can do; how wide it is, where it doesn't say.",
}
STORE_ENVIRONMENT: Mapping[str, str] = {"REELPUB_STORE": "The store, where --store isn't given."}
STORE_FILES: Mapping[str, str] = {
    "~/.local/state/reelpub/reelpub.db": "The store, unless another is named; other systems keep it where they keep "
    "an application's state. Only its owner can read it.",
}
UNREAD: Mapping[str, str] = {"141": "Whoever read the output left before its end, as head does."}
EXITS: Mapping[str, str] = {
    "0": "Everything is published, or scheduled where that was asked for.",
    "1": "Some failed, were refused, were duplicates, weren't sent, or were called off.",
    "2": "Wrong use, faults in a file included; nothing was sent.",
    "3": "Some are pending, or nobody can say what became of them. It outweighs 1: don't just send again.",
    "130": "Ctrl-C, twice, or before there was anything to tell.",
    "141": "Whoever read the output left before its end, as head does; nothing was sent.",
}
RUN_EXITS: Mapping[str, str] = {
    **{status: said for status, said in EXITS.items() if status not in UNREAD},
    "2": "Wrong use; nothing was sent.",
}
"""Of commands about a run, which take no file, and end as the run stands, whoever reads what they print."""


@frozen
class Example:
    """Something to type, after what it is for."""

    purpose: str
    line: str


class _Formatter(click.HelpFormatter):
    """Breaks no line at a hyphen: half an option is no option."""

    _KEPT = "\ue000"

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", self._KEPT))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, said.replace("-", self._KEPT)) for term, said in rows], col_max, col_spacing)

    def write(self, string: str) -> None:
        super().write(string.replace(self._KEPT, "-"))


class _Context(click.Context):
    formatter_class = _Formatter


class Sections:
    """What a page has beside click's own sections."""

    def __init__(
        self,
        examples: Sequence[Example],
        exits: Mapping[str, str],
        files: Mapping[str, str] | None,
        environment: Mapping[str, str] | None,
    ) -> None:
        self.examples = tuple(examples)
        self.lists: dict[str, Mapping[str, str]] = {
            "Exit status": exits,
            "Files": files or {},
            "Environment": environment or {},
        }

    def write(self, formatter: click.HelpFormatter) -> None:
        """Write them to a page."""
        if self.examples:
            with formatter.section("Examples"):
                _write_examples(formatter, self.examples)
        for title, entries in self.lists.items():
            if entries:
                with formatter.section(title):
                    formatter.write_dl(list(entries.items()))


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[Example]) -> None:
    for number, example in enumerate(examples):
        if number:
            formatter.write_paragraph()
        formatter.write_text(example.purpose)
        with formatter.indentation():
            # A line to be copied isn't broken, however wide the page is.
            formatter.write(f"{'':{formatter.current_indent}}{example.line}\n")


class Page(click.Command):
    """A command whose help has examples, how it ends, and what it reads and writes.

    *exits*, *files* and *environment* map what there is to what it means.
    """

    context_class = _Context

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[Example] = (),
        exits: Mapping[str, str] = EXITS,
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **{"context_settings": HELP, **options})
        self.sections = Sections(examples, exits, files, environment)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option ``--help``, with an example like every other."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Show this page, e.g. --help."
        return option

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the further sections."""
        super().format_epilog(ctx, formatter)
        self.sections.write(formatter)


class PagedGroup(Page, click.Group):
    """A group of commands with a page; *chapters* maps a title to the commands under it, each with a few words."""

    def __init__(self, *arguments: Any, chapters: Mapping[str, Mapping[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.chapters = dict(chapters)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their titles."""
        del ctx
        # All names as wide as the widest, so that the columns of all chapters stand under each other.
        width = max(map(len, self.commands))
        for title, commands in self.chapters.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", said) for name, said in commands.items()])
