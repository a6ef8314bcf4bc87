"""Run commands in forks of a process that has imported everything, which spares each the seconds that torch takes.

`ForkServer` starts this file as a script, which imports the command line with all that its commands import later,
computes nothing, and forks for every command. The fork takes over arguments, environment, folder and streams, runs what
`python -m omnishot` runs, and ends as Python does; to whoever looks from outside it is a process like any other. What
cannot be handed to a Python that is running already, such as a locale, is for a process of its own: see `can_run`.
"""

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import runpy
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

NUMBER = struct.Struct("i")
READ_LATE = {"COLUMNS", "CUDA_VISIBLE_DEVICES", "PYTEST_CURRENT_TEST", "TERM"}
"""Variables, besides omnishot's own, that nothing reads while it is imported."""

IMPORTED_IN_USE = ("torch._dynamo", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg")
"""Modules that libraries import when an optimizer or a figure is made."""


class ForkServer:
    """The process that forks, as those see it who want commands run; one at a time."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Tell whether a command in this environment may be forked, as it differs only in what is read late."""
        names = self._environment.keys() | environment.keys()
        changed = {name for name in names if self._environment.get(name) != environment.get(name)}
        return all(name in READ_LATE or name.startswith("OMNISHOT_") for name in changed)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with arguments as `subprocess.run(capture_output=True, text=True)` does, but in a fork.

        Args:
            arguments: What would follow `python`: `-m` and a module, or a script, then its own arguments.
            environment: All variables it gets; `can_run` has to say yes to them.
            timeout: Seconds after which it is killed.

        Raises:
            subprocess.TimeoutExpired: It was.
        """
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(Path.cwd())}
        with self._lock:
            streams = [os.pipe(), os.pipe()]
            socket.send_fds(self._socket, [b"!"], [0, *(writer for _, writer in streams)])
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            for _, writer in streams:
                os.close(writer)
            captured: list[bytes] = [b"", b""]
            readers = [
                threading.Thread(target=_drain, args=(reader, captured, i)) for i, (reader, _) in enumerate(streams)
            ]
            for thread in readers:
                thread.start()
            pid = self._number()
            self._socket.settimeout(timeout)
            try:
                code = self._number()
            except TimeoutError:
                os.kill(pid, 9)
                self._socket.settimeout(None)
                self._number()
                raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            finally:
                self._socket.settimeout(None)
                for thread in readers:
                    thread.join()
        out, err = (text.decode().replace("\r\n", "\n") for text in captured)
        return subprocess.CompletedProcess(list(arguments), code, out, err)

    def _number(self) -> int:
        return int(NUMBER.unpack(self._socket.recv(NUMBER.size, socket.MSG_WAITALL))[0])

    def close(self) -> None:
        """End the process that forks."""
        self._socket.close()
        self._process.wait()


def _drain(descriptor: int, captured: list[bytes], place: int) -> None:
    with open(descriptor, "rb") as stream:
        captured[place] = stream.read()


def import_everything() -> None:
    """Import what commands import when they are called, after what has to come before torch."""
    from omnishot.cli.process import choose_threads

    before = dict(os.environ)
    choose_threads()
    import omnishot

    modules = [module.name for module in pkgutil.walk_packages(omnishot.__path__, "omnishot.")]
    for name in (*modules, *IMPORTED_IN_USE):
        if not name.endswith("__main__"):
            import_module(name)
    replace_environment(before)


def freeze() -> None:
    """Keep what there is out of later collections: one in a fork would copy what it looks at."""
    gc.collect()
    gc.freeze()


def replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def serve(connection: socket.socket) -> list[str] | None:
    """Fork for every request, until nobody is there to make one; in a fork return what Python is to run."""
    requests = connection.makefile("rb")
    while True:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        if not descriptors:
            return None
        request = json.loads(requests.readline())
        pid = os.fork()
        if not pid:
            requests.close()
            connection.close()
            return become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(NUMBER.pack(pid))
        connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def become(request: dict[str, Any], descriptors: list[int]) -> list[str]:
    """Take over what a process has from whoever starts it; return what Python is to run."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    replace_environment(request["environment"])
    os.chdir(request["folder"])
    return list(request["arguments"])


def run(arguments: list[str]) -> None:
    """Run what Python would run with these arguments."""
    codes: list[int] = []
    atexit.register(skip_teardown, codes)  # Registered first, so called last.
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, int):
            codes.append(ended.code)
        raise


def skip_teardown(codes: list[int]) -> None:
    """Exit as C does, without the second that Python takes to empty its modules, which nobody sees from outside."""
    if codes:
        sys.stdout.flush()
        sys.stderr.flush()
        ctypes.CDLL(None).exit(codes[0])


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    import_everything()
    freeze()
    if arguments := serve(connection):
        run(arguments)


if __name__ == "__main__":
    main()
