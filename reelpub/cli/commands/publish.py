"""`reelpub publish`: the posts of a file, or a single one from options."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reelpub.cli import options
from reelpub.cli.page import ENVIRONMENT, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.setup import setup_of
from reelpub.cli.show import views
from reelpub.cli.work import single
from reelpub.cli.work.filerun import FileOrder, options_for_files, run_file

__all__ = ["publish"]

_OF_ONE_POST = (
    "generated_post",
    "approve",
    "media_items",
    "persona",
    "draft",
    "clip",
    "caption",
    "title",
    "tags",
    "accounts",
    "at",
    "settings",
    "retry_failed",
    "no_wait",
)
_OF_A_FILE = ("format_", "skip_bad_rows", "limit_findings")


@click.command(
    cls=Page,
    examples=(
        Example("Publish every row of a file:", "reelpub publish posts.csv"),
        Example(
            "Publish what is sound of it, and keep what happens:",
            "reelpub publish posts.csv --skip-bad-rows --json > log.jsonl",
        ),
        Example("See every request that it would send:", "reelpub publish posts.csv --dry-run"),
        Example("Read it from another program:", "make-posts | reelpub publish - --format jsonl"),
        Example(
            "Publish one clip to one account:",
            "reelpub publish --clip demo-project-1/demo-clip-1 --title 'Launch day' --account tiktok:acme",
        ),
        Example(
            "Schedule one generated post:",
            "reelpub publish --generated-post demo-generated-post-1 --at '2027-03-28 14:30' --zone Europe/Oslo",
        ),
    ),
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@click.argument(
    "file",
    required=False,
    metavar="[FILE]",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
)
@options_for_files
@click.option(
    "--generated-post", metavar="ID", help="Publish a generated post, e.g. --generated-post demo-generated-post-1."
)
@click.option(
    "--approve",
    is_flag=True,
    help="Send the generated post in ReelMirror's one-call way, to every active "
    "account of its persona and as it is, e.g. --generated-post ID --approve.",
)
@click.option(
    "--media-item",
    "media_items",
    metavar="ID",
    multiple=True,
    help="Publish media items in this order, e.g. --media-item demo-media-item-1 --media-item demo-media-item-2.",
)
@click.option("--persona", metavar="ID", help="The persona of the media items, e.g. --persona demo-persona-1.")
@click.option("--draft", metavar="ID", help="Publish a draft that exists already, e.g. --draft 5d1f...")
@click.option(
    "--clip",
    callback=options.clip,
    metavar="PROJECT/CLIP",
    help="Publish a finished clip of Reap, e.g. --clip demo-project-1/demo-clip-1.",
)
@click.option("--caption", metavar="TEXT", help="The caption, e.g. --caption 'Launch day'.")
@click.option("--title", metavar="TEXT", help="The title, where the platform has one, e.g. --title 'Launch day'.")
@click.option(
    "--tag", "tags", metavar="TEXT", multiple=True, help="A tag, given again for each, e.g. --tag launch --tag news."
)
@click.option(
    "--account",
    "accounts",
    metavar="ACCOUNT",
    multiple=True,
    help="An account by platform and name or by id, given again for each, e.g. --account tiktok:acme. "
    "Without any, those that the provider has for a generated post or draft.",
)
@click.option(
    "--at",
    metavar="TIME",
    help="Publish at a later time, with an offset or together with --zone, e.g. --at 2027-03-28T14:30+02:00.",
)
@click.option(
    "--zone",
    metavar="ZONE",
    help="The time zone of --at, e.g. --at '2027-03-28 14:30' --zone Europe/Oslo; with FILE, of its times that have "
    "none of their own.",
)
@click.option(
    "--setting",
    "settings",
    callback=options.settings,
    metavar="PLATFORM.NAME=VALUE",
    multiple=True,
    help="A setting of a platform, given again for each, e.g. --setting tiktok.privacy=friends.",
)
@click.option(
    "--retry-failed",
    type=click.IntRange(0, 10),
    default=0,
    metavar="TIMES",
    help="Send what provably isn't live again, so many times, e.g. --retry-failed 2. For a file: `reelpub retry`.",
)
@click.option(
    "--no-wait",
    is_flag=True,
    help="Stop once the provider has the post; it is then pending, and the exit "
    "status 3, e.g. --no-wait, and later: reelpub wait POST_ID.",
)
@options.store()
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def publish(context: click.Context, /, **given: Any) -> int:
    """Publish the posts of a file, or a single one, and wait until each is live, or has failed, on every account.

    FILE is a manifest in CSV, JSONL or YAML, one row a post (`reelpub schema` describes it); - is standard input. It is
    read and checked whole before anything is sent. Then it becomes a run with an id, which is printed first of all and
    which `resume`, `retry`, `watch`, `results` and `report` take; it is noted in the store, so that nothing is lost by
    a crash and nothing is sent twice.

    Without FILE, options describe one post. It is noted only where --store or REELPUB_STORE names a store.

    What has a time is done once the provider has it scheduled. Ctrl-C once stops in order: nothing new is sent, and
    what is on the wire is told; a second one stops at once. Neither stops a post that has left, and neither loses what
    is known: `reelpub resume RUN` goes on, for a single post `reelpub wait POST_ID`.
    """
    setup = setup_of(context)
    if given["file"] is None:
        _reject(context, _OF_A_FILE, "goes with FILE, such as reelpub publish posts.csv")
        order = single.order_from(given)
        if given["dry_run"]:
            return asyncio.run(single.rehearse_one(setup, order, as_json=given["as_json"]))
        return asyncio.run(single.publish_one(setup, order, views.choose(as_json=given["as_json"])))
    _reject(context, _OF_ONE_POST, "describes a single post; with FILE, it stands in its columns")
    of_file = FileOrder(
        file=given["file"],
        command="publish",
        store=given["store"],
        format=given["format_"],
        zone=options.zone_name(context, _parameter(context, "zone"), given["zone"]),
        publisher=given["publisher"],
        timeout=given["timeout"],
        skip_bad_rows=given["skip_bad_rows"],
        most_findings=given["limit_findings"],
        dry_run=given["dry_run"],
        as_json=given["as_json"],
    )
    return asyncio.run(run_file(setup, of_file))


def _reject(context: click.Context, names: tuple[str, ...], why: str) -> None:
    """Refuse options that were given and that don't go with what is asked for."""
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{_parameter(context, name).opts[0]} {why}")


def _parameter(context: click.Context, name: str) -> click.Parameter:
    return next(parameter for parameter in context.command.params if parameter.name == name)
