"""The program as a whole: help, exit codes, and that no traceback reaches anybody."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from wayfare.cli import list as list_command
from wayfare.cli.main import app
from wayfare.cli.reference import commands, commands_markdown

PROGRAM = "import sys; from wayfare.cli.main import main; sys.exit(main())"


def test_every_command_and_option_has_help():
    for path, command, context in commands(typer.main.get_command(app)):
        assert command.help, path
        for parameter in command.get_params(context):
            assert getattr(parameter, "hidden", False) or parameter.help, f"{path}: {parameter.name}"


def test_the_reference_names_every_command_and_option():
    text = commands_markdown()
    for path, command, context in commands(typer.main.get_command(app)):
        assert f"## {path}\n" in text
        assert all(
            name in text for p in command.get_params(context) for name in p.opts if name.startswith("--")
        )


def test_without_arguments_the_help_is_shown(wayfare):
    assert wayfare().out == wayfare("--help").out
    assert "Exit codes" in wayfare("-h").out


def test_the_version(wayfare):
    assert wayfare("--version").out.startswith("wayfare 0.")


@pytest.mark.parametrize(
    ("args", "said"), [(("funel",), "ingest"), (("--vers",), "--version"), (("init",), "'DIR'")]
)
def test_a_misused_command_line_says_what_there_is(wayfare, args: tuple[str, ...], said: str):
    done = wayfare(*args)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("the roof\nleaks")


def test_a_fault_is_one_line_and_a_pointer(wayfare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(list_command, "print_rows", broken)
    done = wayfare("list")
    assert (done.code, done.out) == (1, "")
    assert "RuntimeError: the roof leaks" in done.err
    assert "wayfare doctor" in done.err
    assert "Traceback" not in done.err
    assert json.loads(wayfare("list", "--format", "json").err)["error"]["code"] == "fault"


def test_a_fault_shows_where_it_came_from_on_request(wayfare, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(list_command, "print_rows", broken)
    monkeypatch.setenv("WAYFARE_DEBUG", "1")
    assert "Traceback" in wayfare("list").err


def test_ctrl_c_ends_quietly(wayfare, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(list_command, "print_rows", interrupted)
    done = wayfare("list")
    assert (done.code, done.out, done.err) == (130, "", "Stopped.\n")


def test_the_program_ends_at_once_after_ctrl_c_whatever_its_threads_do():
    """Python's own end waits for no thread, and one that wakes up in C code then ends it with SIGABRT."""
    program = (
        "import atexit, signal, sys; from wayfare.cli import list as command, main\n"
        "atexit.register(print, 'the slow way')\n"
        "command.print_rows = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        "sys.argv = ['wayfare', 'list']; sys.exit(main.main())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_a_refusal_of_the_system_is_explained(wayfare, shop: Path, tmp_path: Path):
    done = wayfare("run", shop, "sessions", "--output", tmp_path)
    assert done.code == 1
    assert "Is a directory." in done.err
    assert str(tmp_path) in done.err


def test_a_reader_that_goes_away_is_no_error(shop: Path):
    run = [sys.executable, "-c", PROGRAM, "run", str(shop), "transitions"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (128 + signal.SIGPIPE, b"")


def test_the_help_is_there_at_once():
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", PROGRAM, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert (
        min(seconds() for _ in range(5)) < 0.3
    )  # of the processor: the wall clock is shared with other tests


def test_nothing_heavy_is_loaded_for_help():
    script = "import sys, wayfare.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    heavy = {"numpy", "pyarrow", "pandas", "duckdb", "pydantic", "fastapi", "yaml", "rich"}
    assert heavy.isdisjoint(loaded)


def test_colours_stay_out_of_pipes(shop: Path):
    run = [sys.executable, "-c", PROGRAM, "run", str(shop), "sessions"]
    done = subprocess.run(run, capture_output=True, check=True, env={**os.environ, "TERM": "xterm-256color"})
    assert b"\x1b" not in done.stdout + done.stderr
