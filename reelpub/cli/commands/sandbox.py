"""`reelpub sandbox`: both providers on this machine, for whoever builds on either API."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from reelpub.cli.page import Example, Page
from reelpub.cli.setup import CLOCK
from reelpub.clocks import Clock, ScaledClock, SystemClock

if TYPE_CHECKING:
    from reelpub.sandbox import Dialect, RateLimit, Sandbox

__all__ = ["dialects_from", "sandbox"]

REELMIRROR_PORT = 8801
REAP_PORT = 8802
LIMIT_KINDS = ("fixed", "anchored", "sliding_log", "sliding_counter", "gcra")
"""The values of the sandbox's `LimitKind`; ``sliding`` is short for ``sliding_log``."""


@click.command(
    cls=Page,
    examples=(
        Example("Serve it, as fast as the services are:", "reelpub sandbox"),
        Example(
            "Ten times as fast, with a choice where the contract leaves one:",
            "reelpub sandbox --speed 10 --dialect reap.urls_by=platform",
        ),
        Example(
            "Publish into it, in another terminal, after pasting the lines with export:",
            "reelpub publish --clip demo-project-1/demo-clip-1 --account tiktok:acme",
        ),
    ),
    exits={"0": "It was stopped with Ctrl-C or SIGTERM.", "2": "Wrong use, such as a port that is taken."},
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on, e.g. --host 127.0.0.1.")
@click.option(
    "--reelmirror-port",
    type=click.IntRange(0, 65535),
    default=REELMIRROR_PORT,
    show_default=True,
    help="ReelMirror's port, 0 for a free one, e.g. --reelmirror-port 9001.",
)
@click.option(
    "--reap-port",
    type=click.IntRange(0, 65535),
    default=REAP_PORT,
    show_default=True,
    help="Reap's port, 0 for a free one, e.g. --reap-port 9002.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="New ids and durations repeat for the same number, e.g. --seed 7.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 30),
    default=1.0,
    show_default=True,
    help="How many times as fast time runs at the providers, for clients with the same clock, which is printed; "
    "e.g. --speed 10.",
)
@click.option(
    "--rate-limit-kind",
    type=click.Choice([*LIMIT_KINDS, "sliding"]),
    default="fixed",
    show_default=True,
    help="How requests are counted, at 60 and 10 a minute, e.g. --rate-limit-kind gcra.",
)
@click.option(
    "--dialect",
    "switches",
    metavar="PROVIDER.SWITCH=VALUE",
    multiple=True,
    help="Turn a switch of what isn't documented, given again for each, "
    "e.g. --dialect reelmirror.patch_targets=ignores. A wrong one lists them.",
)
def sandbox(**given: Any) -> int:
    """Serve a sandbox of both providers until Ctrl-C.

    It behaves as the providers' contracts say, on this machine alone, and publishes nothing. It prints the environment
    variables that point `reelpub` at it, its keys, its accounts and its ids. With --speed one of the variables is the
    clock that it goes by: commands that have it go by it, too, at addresses on this machine alone.
    """
    return asyncio.run(_serve(_Terms(**given)))


@frozen(kw_only=True)
class _Terms:
    """The options, as they were given."""

    host: str
    reelmirror_port: int
    reap_port: int
    seed: int
    speed: float
    rate_limit_kind: str
    switches: tuple[str, ...]


async def _serve(terms: _Terms) -> int:
    from reelpub.sandbox import run_forever

    server = _made(terms)
    serving = asyncio.ensure_future(run_forever(server, on_start=_greet))
    with suppress(NotImplementedError):
        # Whoever starts it in the background of a script stops it with SIGTERM.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            task.uncancel()
    except OSError as error:
        hint = "choose others with --reelmirror-port and --reap-port"
        raise click.UsageError(f"can't listen on {terms.host}: {error.strerror or error}; {hint}") from None
    return 0


def _made(terms: _Terms) -> Sandbox:
    from reelpub.sandbox import Sandbox

    clock: Clock = SystemClock() if terms.speed == 1 else ScaledClock(terms.speed)
    dialects = dialects_from(terms.switches)
    return Sandbox(
        clock=clock,
        seed=terms.seed,
        reelmirror=dialects["reelmirror"],  # type: ignore[arg-type]  # each name has its own class
        reap=dialects["reap"],  # type: ignore[arg-type]
        limits=_limits(terms.rate_limit_kind),
        host=terms.host,
        ports={"reelmirror": terms.reelmirror_port, "reap": terms.reap_port},
    )


def _limits(kind: str) -> dict[str, RateLimit | None]:
    from reelpub.sandbox import LimitKind, RateLimit

    chosen = LimitKind("sliding_log" if kind == "sliding" else kind)
    return {"reelmirror": RateLimit(limit=60, kind=chosen), "reap": RateLimit(limit=10, kind=chosen)}


def dialects_from(switches: Iterable[str]) -> dict[str, Dialect]:
    """Return both dialects with *switches*, each ``provider.switch=value``, turned.

    Raises:
        click.UsageError: there is no such provider, switch or value; it names those that there are.
    """
    from reelpub.sandbox import ReapDialect, ReelMirrorDialect

    classes: dict[str, type[ReelMirrorDialect | ReapDialect]] = {"reelmirror": ReelMirrorDialect, "reap": ReapDialect}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in classes}
    for switch in switches:
        path, _, text = switch.partition("=")
        provider, _, name = path.partition(".")
        if provider not in classes:
            raise click.UsageError(f"--dialect: {switch!r} isn't PROVIDER.SWITCH=VALUE for one of {', '.join(classes)}")
        chosen[provider][name] = _value(provider, name, text, classes[provider].options())
    return {name: kind(**chosen[name]) for name, kind in classes.items()}


def _value(provider: str, name: str, text: str, options: dict[str, tuple[Any, ...]]) -> Any:
    if name not in options:
        raise click.UsageError(f"--dialect: {provider} has no {name!r}; it has {', '.join(options)}")
    for value in options[name]:
        if str(value).lower() == text.strip().lower():
            return value
    values = ", ".join(str(value).lower() for value in options[name])
    raise click.UsageError(f"--dialect: {provider}.{name} is one of {values}, not {text!r}")


def _greet(server: Sandbox) -> None:
    from reelpub.sandbox import describe

    lines = [describe(server), ""]
    if isinstance(server.clock, ScaledClock):
        # Resets of the rate limit are told in this time: a client with another clock waits too long for them.
        lines[0] = _with_clock(lines[0], f"export {CLOCK}={server.clock.scale:g}@{server.clock.origin!r}")
        clock = f"ScaledClock({server.clock.scale:g}, origin={server.clock.origin!r})"
        lines.append(f"Time runs {server.clock.scale:g} times as fast; for clients in Python: clock={clock}")
    print("\n".join([*lines, "Serving; Ctrl-C stops it."]), flush=True)


def _with_clock(description: str, line: str) -> str:
    """Put *line* after the last of the lines that set the environment."""
    lines = description.splitlines()
    last = max((place for place, text in enumerate(lines) if text.startswith("export ")), default=-1)
    return "\n".join([*lines[: last + 1], line, *lines[last + 1 :]])
