"""Ctrl-C while captures run: it is answered whatever the main thread waits for, and whichever thread it reaches."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# The main thread waits for a lock, as it does for the threads of the hosts; the signal reaches another thread.
WAITS = """
import signal, threading, time
from esxprobe.commands.terminal import {how}

def another():
    time.sleep(0.3)  # until the main thread waits
    signal.pthread_kill(threading.get_ident(), {number})
    if stop.wait(5):
        print("stopped")
    waited_for.release()

signal.signal(signal.SIGHUP, signal.SIG_DFL)
stop, waited_for = threading.Event(), threading.Lock()
waited_for.acquire()
with {how}({asked}):
    threading.Thread(target=another, daemon=True).start()
    waited_for.acquire()
"""
THREE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def run(how: str, asked: str, number: int) -> subprocess.CompletedProcess[str]:
    program = WAITS.format(how=how, asked=asked, number=int(number))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", THREE)
def test_a_capture_ends_in_order(number: int) -> None:
    ended = run("ends_cleanly", "stop", number)
    assert (ended.returncode, ended.stdout) == (0, "stopped\n")
    assert ended.stderr == "stopping; data received so far is kept. Press Ctrl-C again to abort\n"


@pytest.mark.parametrize("number", THREE)
def test_where_nothing_is_to_be_kept_it_ends_at_once(number: int) -> None:
    ended = run("ends_at_once", "", number)
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "", "aborted\n")


def test_a_terminal_that_is_closed_sends_its_signal_twice_and_insists_on_nothing() -> None:
    twice = WAITS.replace('print("stopped")', "signal.raise_signal(signal.SIGHUP); threading.Event().wait(0.5)")
    program = twice.format(how="ends_cleanly", asked="stop", number=int(signal.SIGHUP))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0


def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    program = WAITS.replace("SIG_DFL", "SIG_IGN").replace("wait(5)", "wait(0.5)")
    program = program.format(how="ends_cleanly", asked="stop", number=int(signal.SIGHUP))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_command_that_went_on_says_that_it_was_to_end() -> None:
    """Python drops what the handler raises where a finalizer runs: the exit code still tells of the signal."""
    program = """
import signal, sys
from esxprobe.commands import app

class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def command(words):
    Finalized()
    sys.exit(0)

app.app = command
app.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM
