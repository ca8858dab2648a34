"""The help of every command: complete, with examples that work, and the same in docs/cli.md."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from reelpub.cli import manual
from reelpub.cli.app import command, run
from reelpub.cli.page import Page

COMMANDS = sorted(command.commands)
DOCS = Path(__file__).parents[2] / "docs"


def options(page: click.Command) -> list[click.Option]:
    context = click.Context(page, **page.context_settings)
    return [parameter for parameter in page.get_params(context) if isinstance(parameter, click.Option)]


def shown(capsys, *arguments: str) -> str:
    assert run([*arguments, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
class TestEachCommand:
    def test_its_first_line_says_what_it_does(self, name):
        first = (command.commands[name].help or "").split("\n\n")[0]
        assert first.strip().endswith(".")

    def test_each_option_has_help_with_an_example(self, name):
        for option in options(command.commands[name]):
            assert "e.g. " in (option.help or ""), option.opts

    def test_its_page_has_examples_of_itself_and_says_how_it_ends(self, name):
        page = command.commands[name]
        assert isinstance(page, Page)
        assert any(f"reelpub {name}" in example.line for example in page.sections.examples)
        assert {"0"} <= page.sections.lists["Exit status"].keys()

    def test_its_examples_are_right(self, name):
        """Every option in an example is one of the command that it is given to, and its values are taken."""
        page = command.commands[name]
        for line in [example.line for example in page.sections.examples]:
            for words in calls(line):
                checked(words)

    def test_the_page_names_its_store_and_its_environment_where_it_has_one(self, name):
        page = command.commands[name]
        if any("--store" in option.opts for option in options(page)):
            assert page.sections.lists["Files"]
            assert "REELPUB_STORE" in page.sections.lists["Environment"]

    def test_no_line_is_too_long_or_broken_within_an_option(self, name, capsys):
        page = command.commands[name]
        examples = {example.line for example in page.sections.examples}
        for line in shown(capsys, name).splitlines():
            assert len(line) <= 80 or line.strip() in examples, line
            assert not line.endswith("-"), line
        assert "\ue000" not in shown(capsys, name)


def calls(line: str) -> list[list[str]]:
    """Return the words after each `reelpub` of a line of shell."""
    found, words = [], None
    for word in shlex.split(line, comments=True):
        if word == "reelpub":
            words = []
            found.append(words)
        elif word.rstrip(";") in ("|", "&&", ">", "") or word == ";":
            words = None
        elif words is not None:
            words.append(word.rstrip(";"))
            words = None if word.endswith(";") else words
    return found


def checked(words: list[str]) -> None:
    """Have click read *words*; files in an example needn't exist."""
    page = command.commands[words[0]]
    context = click.Context(page, info_name=words[0], **page.context_settings)
    parser = page.make_parser(context)
    values, left, order = parser.parse_args(list(words[1:]))
    assert not left
    for parameter in order:
        if not isinstance(parameter.type, click.Path) and parameter.name in values:
            parameter.process_value(context, values[parameter.name])


def test_every_command_stands_in_a_chapter():
    assert sorted(name for names in command.chapters.values() for name in names) == COMMANDS


def test_the_first_page_shows_every_command_in_a_line(capsys):
    lines = shown(capsys).splitlines()
    for name in COMMANDS:
        assert sum(line.startswith(f"  {name} ") and line.endswith(".") for line in lines) == 1, name
    assert max(map(len, lines)) <= 80


def test_the_manual_is_what_the_commands_say():
    """`python -m reelpub.cli.manual > docs/cli.md` makes it anew."""
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == manual.markdown()


@pytest.mark.parametrize(
    ("shell", "text"), [("bash", "complete -o"), ("zsh", "#compdef reelpub"), ("fish", "complete")]
)
def test_completion_prints_a_script_and_where_to_put_it(shell, text, capsys):
    assert run(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert text in out
    assert "# Put this into ~/" in out
    assert out.startswith("#compdef") == (shell == "zsh")


def test_a_shell_that_isnt_known_is_told_with_those_that_are(capsys):
    assert run(["completion", "tcsh"]) == 2
    assert "'bash', 'fish', 'zsh'" in capsys.readouterr().err
