"""A run as a person sees it: in a real terminal, wide and narrow, made smaller, stopped and gone on with."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

TMUX = shutil.which("tmux")
COMMAND = [sys.executable, "-c", "import sys; from reelpub.cli import main; sys.exit(main())"]
REELPUB = shlex.join(COMMAND)

pytestmark = [pytest.mark.terminal, pytest.mark.skipif(TMUX is None, reason="tmux isn't installed")]


class Terminal:
    """A terminal in tmux, with a server of its own."""

    def __init__(self, name: str, columns: int, rows: int, folder: Path, environment: dict[str, str]) -> None:
        self._name, self.columns = name, columns
        size = ("-x", str(columns), "-y", str(rows))
        # The server takes its environment from whoever starts it.
        self._tmux("-f", os.devnull, "new-session", "-d", *size, "-c", str(folder), "sh", environment=environment)
        self.type("PS1='$ '; clear")

    def _tmux(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [TMUX, "-L", self._name, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            timeout=10,
        )
        return done.stdout

    def type(self, line: str) -> None:
        self._tmux("send-keys", line, "Enter")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        self.columns = columns
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *more: str) -> str:
        """Return what can be seen now."""
        return self._tmux("capture-pane", "-p", *more).rstrip("\n")

    def everything(self) -> str:
        """Return what can be seen, and what has scrolled away."""
        return self.screen("-S", "-")

    def until(self, pattern: str, seconds: float = 40.0) -> str:
        """Return the screen as soon as *pattern* is on it."""
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            screen = self.screen()
            if re.search(pattern, screen, re.MULTILINE):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{pattern!r} never came: {self.everything()}")

    def close(self) -> None:
        with suppress(subprocess.SubprocessError):
            self._tmux("kill-server")


def environment(folder: Path, **more: str) -> dict[str, str]:
    names = ("REAP_", "REELMIRROR_", "REELPUB_", "COV_", "XDG_", "TMUX", "NO_COLOR", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": str(folder / "state"), **more}


class Served:
    """A sandbox in a process of its own, and terminals in which its environment is set."""

    def __init__(self, folder: Path, exports: dict[str, str], terminals: list[Terminal]) -> None:
        self.folder, self.exports, self._terminals = folder, exports, terminals

    def terminal(self, columns: int, rows: int, **more: str) -> Terminal:
        name = f"reelpub-{os.getpid()}-{len(self._terminals)}"
        made = Terminal(name, columns, rows, self.folder, environment(self.folder, **self.exports, **more))
        self._terminals.append(made)
        return made

    def fail(self, account: str) -> None:
        order = json.dumps({"kind": "platform_fails", "account": account}).encode()
        url = f"{self.exports['REAP_BASE_URL'].split('/api')[0]}/__sandbox__/faults"
        urllib.request.urlopen(urllib.request.Request(url, data=order), timeout=5).close()

    def table(self) -> list[tuple[str, ...]]:
        """Return how each account of each row of the latest run stands, as the JSON has it."""
        out = subprocess.run(
            [*COMMAND, "results", "--json"],
            capture_output=True,
            check=False,
            env=environment(self.folder, **self.exports),
            timeout=30,
        ).stdout
        found = [one for one in map(json.loads, out.splitlines()) if one["type"] == "outcome"]
        return [
            (str(one["row"]), account["account"], account["status"].replace("_", " "), account["detail"])
            for one in found
            for account in one["accounts"]
        ]


@contextmanager
def serving(folder: Path):
    process = subprocess.Popen(
        [*COMMAND, "sandbox", "--speed", "30", "--reelmirror-port", "0", "--reap-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(folder),
    )
    terminals: list[Terminal] = []
    try:
        exports = {}
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value
            if "Ctrl-C stops it" in line:
                break
        yield Served(folder, exports, terminals)
    finally:
        for terminal in terminals:
            terminal.close()
        process.kill()
        process.communicate()


@pytest.fixture
def served(tmp_path):
    with serving(tmp_path) as running:
        lines = ["reference,clip,generated_post,title,accounts"]
        lines += [f"clip-{n},demo-project-1/demo-clip-{n},,T{n},tiktok:acme;youtube:acme" for n in range(1, 13)]
        lines += [f"post-{n},,demo-generated-post-{n},,instagram:acme" for n in range(1, 5)]
        (tmp_path / "posts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield running


def done_of(screen: str) -> int:
    return int(re.search(r"(\d+) of 16", screen)[1])


def told_in(text: str) -> list[tuple[str, ...]]:
    """Return the rows of the table in *text*: the number, the account, how it stands, the link or reason under it."""
    lines = text.splitlines()
    found = []
    for place, line in enumerate(lines):
        head = re.match(r"(\d+) +\S+ +\w+ +(\w+:\w+)(?: +(.+))?$", line)
        if not head:
            continue
        status, detail = head[3], ""
        under = [below.strip() for below in lines[place + 1 : place + 4] if below.startswith("    ")]
        if status is None:
            status = under.pop(0)
        if under and lines[place + 1].startswith("    "):
            detail = " ".join(under)
        found.append((head[1], head[2], status, detail))
    return found


def test_at_eighty_columns(served):
    """The bar moves, each provider has its line, what fails stays, and the last table is what the JSON says."""
    served.fail("youtube:acme")
    terminal = served.terminal(80, 24)
    terminal.type(f"{REELPUB} publish posts.csv")
    early = terminal.until(r"^[━─]{77}$")
    assert re.search(r"^\d{6}-\w{4}  posts\.csv +\d+ of 16   about \d+ (s|min) left$", early, re.MULTILINE)
    assert re.search(r"^reap +\d+ of 10 requests used, next (now|in \d+ s|after an answer)", early, re.MULTILINE)
    assert re.search(r"^reelmirror +\d+ of 60 requests used, next ", early, re.MULTILINE)
    terminal.until(r"youtube:acme: |failed on youtube:acme")
    late = terminal.until(r" [1-9]\d* of 16 ")
    assert done_of(late) > done_of(early)
    assert late.count(" of 16 ") == 1
    if os.environ.get("REELPUB_KEEP_SCREENS"):
        Path(os.environ["REELPUB_KEEP_SCREENS"]).write_text(terminal.until(r" ([5-9]|1\d) of 16 ") + "\n")
    terminal.until(r"results.csv$")
    shown = terminal.everything()
    assert max(map(len, shown.splitlines())) <= 80
    assert "16 rows: 15 published, 1 partly published" in shown
    assert re.search(r"^  reelpub retry \d{6}-\w{4} --failed$", shown, re.MULTILINE)
    assert re.search(r"^\d+ clip-\d+: failed on youtube:acme: ", shown, re.MULTILINE)
    assert " of 16 " not in shown
    table = served.table()
    assert [line[:3] for line in told_in(shown)] == [line[:3] for line in table]
    for link in (detail for *_, detail in table if detail.startswith("https://")):
        assert link in shown


def test_at_forty_columns(served):
    terminal = served.terminal(40, 12)
    terminal.type(f"{REELPUB} publish posts.csv")
    early = terminal.until(r"^[━─]{37}$")
    assert re.search(r"^\d+ of 16, about \d+ (s|min) left$", early, re.MULTILINE)
    assert re.search(r"^reap \d+/10, next ", early, re.MULTILINE)
    assert re.search(r"^reelmirror \d+/60, next ", early, re.MULTILINE)
    terminal.until(r"results.csv$")
    shown = terminal.everything()
    assert max(map(len, shown.splitlines())) <= 40
    joined = terminal.screen("-J", "-S", "-")
    assert "16 rows: 16 published" in joined
    for link in (detail for *_, detail in served.table() if detail.startswith("https://")):
        assert link in joined, "a link that the terminal wrapped is still one"
    assert [line[:3] for line in told_in(joined)] == [line[:3] for line in served.table()]


def test_ctrl_c_says_how_to_go_on_and_that_ends_it(served):
    terminal = served.terminal(80, 24)
    terminal.type(f"{REELPUB} publish posts.csv")
    terminal.until(r"\d+ on the way")
    terminal.press("C-c")
    terminal.until(r"results.csv$")
    stopped = terminal.everything()
    assert "stopping: nothing new is sent" in stopped
    assert re.search(r"^\d+ rows are unfinished; go on with:\n  reelpub resume \d{6}-\w{4}$", stopped, re.MULTILINE)
    assert "Traceback" not in stopped
    resume = re.search(r"reelpub (resume \S+)", stopped)[1]
    terminal.type(f"clear; {REELPUB} {resume}; echo it ended with $?")
    terminal.until(r"it ended with 0$")
    assert "16 rows: 16 published" in terminal.everything()


def test_made_smaller_and_larger_while_it_goes_on(served):
    """Nothing of the old picture is left behind."""
    terminal = served.terminal(80, 24)
    terminal.type(f"clear; {REELPUB} publish posts.csv")
    terminal.until(r"^[━─]{77}$")
    terminal.resize(40, 12)
    narrow = terminal.until(r"^\d+ of 16, about")
    assert len(re.findall(r"\d+ of 16", narrow)) == 1
    assert re.findall(r"^[━─]+$", narrow, re.MULTILINE) == [re.search(r"^[━─]{37}$", narrow, re.MULTILINE)[0]]
    terminal.resize(100, 30)
    wide = terminal.until(r"posts\.csv {20,}\d+ of 16 ")
    assert len(re.findall(r"\d+ of 16", wide)) == 1
    assert len(re.findall(r"^[━─]+$", wide, re.MULTILINE)) == 1


def test_without_colours_and_without_more_than_ascii(served):
    terminal = served.terminal(80, 24, NO_COLOR="1", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    terminal.type(f"{REELPUB} publish posts.csv")
    terminal.until(r"^\[#*\.+\]$")
    with_codes = terminal.screen("-e")
    assert not re.search(r"\x1b\[(?:\d+;)*3[0-7]", with_codes)
    terminal.until(r"results.csv$")
    assert terminal.everything().isascii()


def test_a_terminal_that_cant_move_its_cursor_gets_lines(served):
    terminal = served.terminal(80, 24, TERM="dumb")
    terminal.type(f"TERM=dumb {REELPUB} publish posts.csv")
    terminal.until(r"results.csv$")
    shown = terminal.everything()
    assert re.search(r"^ +\d+\.\ds  1 clip-1 +queued for reap$", shown, re.MULTILINE)
    assert "━" not in shown


def test_the_shell_completes_commands_and_options(served):
    if shutil.which("bash") is None:
        pytest.skip("bash isn't installed")
    terminal = served.terminal(80, 24)
    wrapper = served.folder / "reelpub"
    wrapper.write_text(f'#!/bin/sh\nexec {REELPUB} "$@"\n')
    wrapper.chmod(0o755)
    terminal.type(f"PATH={served.folder}:$PATH bash --norc --noprofile")
    terminal.type("PS1='$ '; source <(reelpub completion bash); clear; echo ready")
    terminal.until("^ready$")
    terminal.press("reelpub resch")
    terminal.press("Tab")
    terminal.until("reelpub reschedule")
