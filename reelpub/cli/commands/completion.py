"""`reelpub completion`: commands, options and runs completed by the shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reelpub.cli.page import UNREAD, Example, Page

__all__ = ["completion"]

_VARIABLE = "_REELPUB_COMPLETE"
_PLACES = {
    "bash": ["~/.local/share/bash-completion/completions/reelpub"],
    "fish": ["~/.config/fish/completions/reelpub.fish"],
    "zsh": ["~/.zfunc/_reelpub", "and have in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit && compinit"],
}


@click.command(
    cls=Page,
    examples=(
        Example("For bash:", "reelpub completion bash > ~/.local/share/bash-completion/completions/reelpub"),
        Example("For zsh, with ~/.zfunc in fpath:", "reelpub completion zsh > ~/.zfunc/_reelpub"),
        Example("For fish:", "reelpub completion fish > ~/.config/fish/completions/reelpub.fish"),
        Example("For this bash alone:", 'eval "$(reelpub completion bash)"'),
    ),
    exits={"0": "The script was printed.", "2": "Wrong use.", **UNREAD},
    files={
        "~/.local/share/bash-completion/completions/reelpub": "Where bash looks for it.",
        "~/.zfunc/_reelpub": "Where zsh looks for it, with ~/.zfunc in fpath before compinit runs.",
        "~/.config/fish/completions/reelpub.fish": "Where fish looks for it.",
    },
)
@click.argument("shell", type=click.Choice(sorted(_PLACES)))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print a script that completes commands, options and the ids of runs.

    SHELL is bash, fish or zsh. The script goes into a file of the shell's, which its last lines name; a new shell
    then completes `reelpub` with the Tab key.
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows every shell of the choice"  # noqa: S101  for mypy
    source = kind(context.find_root().command, {}, "reelpub", _VARIABLE).source()
    place, *more = _PLACES[shell]
    click.echo(source.rstrip())
    click.echo(f"\n# Put this into {place}, then start a new shell.")
    for text in more:
        click.echo(f"# Also {text.removeprefix('and ')}")
    return 0
