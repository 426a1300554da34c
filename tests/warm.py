"""esxprobe's commands in processes of their own that need not import anything.

Most of a short command's processor time is the import of libraries. One process (`serve`) imports them for a whole
run of the tests and forks for each command; what is on the command line in place of `python -m esxprobe` (`WARM`)
hands over its words, environment, folder and open files, and ends as the command does. Where a command could tell
the difference (another encoding or hash seed, limits of its own, no such server) it is started from cold.
"""

import array
import contextlib
import json
import os
import resource
import signal
import socket
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than all else here
if TYPE_CHECKING:
    import subprocess
    from typing import TextIO

ADDRESS = "ESXPROBE_TESTS_WARM"
# What the interpreter looks at when it starts must be as it was for the server, but for these. In a virtual
# environment it does not look for packages below HOME; what of ours does asks when it runs.
_SET_BY_SERVER = {"PYTHONPATH", "PYTHONWARNINGS"}
_LOOKED_AT = ("PYTHON", "LANG", "LC_", "TZ")
_LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA)
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COLD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drawn.py")
# What commands import when they need it.
_LIBRARIES = (
    *("polars", "numpy", "scipy.special", "jinja2", "paramiko"),
    *("rich.console", "rich.progress", "rich.table", "typer.main", "typer._adapters"),
)
# What runs esxprobe as fast as can be: the interpreter looks for no packages.
WARM = (sys.executable, "-I", "-S", os.path.abspath(__file__))


def main() -> None:
    """A command: from the server if there is one."""
    if is_plain() and (connection := connected()) is not None:
        sys.exit(asked(connection))
    os.execv(sys.executable, [sys.executable, _COLD, *sys.argv[1:]])


def is_plain() -> bool:
    """Whether there is a server, and warnings are errors."""
    return ADDRESS in os.environ and os.environ.get("PYTHONWARNINGS", "error") == "error"


def start_up() -> str:
    """What of the environment the interpreter looks at when it starts, and the limits of this process."""
    seen = {name for name in os.environ if name.startswith(_LOOKED_AT)} - _SET_BY_SERVER
    limits = [resource.getrlimit(each) for each in _LIMITS]
    return json.dumps([{name: os.environ[name] for name in sorted(seen)}, limits])


def connected() -> "socket.socket | None":
    """The server, if it was started alike."""
    path, _, environment = os.environ[ADDRESS].partition(";")
    if environment != start_up():
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        return None
    return connection


def asked(connection: socket.socket) -> int:
    """Has the server run the command, and says how it ended."""
    wanted = {"words": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}
    text = json.dumps(wanted).encode() + b"\n"
    files = array.array("i", [0, 1, 2])
    connection.sendmsg([text[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    connection.sendall(text[1:])
    answers = connection.makefile("r")
    child = int(answers.readline())
    for number in _PASSED_ON:
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    return ended(answers.readline())


def ended(status: str) -> int:
    """The exit code; a signal ends this process, too."""
    code = int(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def start(folder: str) -> "subprocess.Popen[bytes]":
    """The server, at a socket in a folder; it ends when its standard input is closed."""
    import subprocess

    path = os.path.join(folder, "warm")
    os.environ[ADDRESS] = f"{path};{start_up()}"
    home = os.path.dirname(os.path.dirname(_COLD))
    environment = {**os.environ, "PYTHONPATH": home, "PYTHONWARNINGS": "error"}
    words = [sys.executable, os.path.abspath(__file__), "--serve", path]
    return subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)


def serve(path: str) -> None:
    """Imports what commands import, and forks for each of them until its standard input ends."""
    import gc
    import select

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        _import_all()
        gc.collect()
        gc.freeze()
        watched = select.poll()
        watched.register(listener, select.POLLIN)
        watched.register(0, select.POLLIN)
        children: dict[int, socket.socket] = {}
        while True:
            ready = dict(watched.poll(20 if children else None))
            if listener.fileno() in ready:
                connection = listener.accept()[0]
                pid = os.fork()
                if pid == 0:
                    _run(connection, [listener, *children.values()])
                children[pid] = connection
                watched.register(connection, 0)
                _tell(connection, pid)
            elif 0 in ready:
                break
            for pid, connection in list(children.items()):
                if ready.get(connection.fileno(), 0) & select.POLLHUP:  # whoever asked was killed
                    os.kill(pid, signal.SIGKILL)
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    watched.unregister(connection)
                    with children.pop(pid):
                        _tell(connection, os.waitstatus_to_exitcode(status))
        for connection in children.values():
            connection.close()


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone
        connection.sendall(b"%d\n" % number)


def _import_all() -> None:
    """Imports every module of ours, and with them most of what they import when they need it."""
    import importlib
    import pkgutil

    import drawn  # noqa: F401

    import esxprobe

    for module in pkgutil.walk_packages(esxprobe.__path__, "esxprobe."):
        if "lab" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)
    for name in _LIBRARIES:
        importlib.import_module(name)
    from esxprobe.report.html import _template

    pages = _template("report.html.j2").environment
    for name in pages.list_templates(extensions=["j2"]):
        pages.get_template(name)
    _work_out()


def _work_out() -> None:
    """What every command, report or redacted copy works out once and keeps: the same for all of them.

    Nothing of polars is among it: the threads that it would start are not there in a child.
    """
    import functools
    import inspect

    import typer.main

    from esxprobe.commands.app import app

    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(app)
    for name, module in sorted(sys.modules.items()):
        if name.startswith(("esxprobe.redact.", "esxprobe.report.")):
            for each in list(vars(module).values()):
                kept = hasattr(each, "cache_parameters") and each.__module__ == name
                if kept and not inspect.signature(each).parameters:
                    each()


def _run(connection: socket.socket, others: "list[socket.socket]") -> None:
    """In a child: becomes the command, and never returns."""
    code = 70
    try:
        text, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(12))
        files = array.array("i", ancillary[0][2])
        text += connection.makefile("rb").readline()
        connection.close()
        for other in others:
            other.close()
        wanted = json.loads(text)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        code = _become(wanted)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _stream(old: "TextIO") -> "TextIO":
    """The same stream on the file that is now behind its number; a terminal gets its lines one by one."""
    mode, number = ("r", 0) if old is sys.stdin else ("w", old.fileno())
    return open(
        number,
        mode,
        encoding=old.encoding,
        errors=old.errors,
        closefd=False,
        buffering=1 if os.isatty(number) or number == 2 else -1,
    )


def _become(wanted: "dict[str, object]") -> int:
    import random
    import time

    environment: dict[str, str] = wanted["environment"]  # type: ignore[assignment]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(wanted["folder"]))
    time.tzset()
    random.seed()
    sys.argv = ["esxprobe", *wanted["words"]]  # type: ignore[misc]
    sys.modules["__main__"].__file__ = _COLD  # what workers that are spawned import
    sys.stdin, sys.stdout, sys.stderr = (_stream(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))
    import drawn

    from esxprobe.commands.app import main as command

    drawn.choose("")
    command()
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        main()
