"""A signer process for the tests: the real command, a real socket, and a process that dies at a chosen moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from consent.signer_client import SignerProcess
from consent.signer_server import SignerServer
from consent.tlog.external import FileCheckpointStore
from consent.tlog.signer import MAX_REQUEST_BYTES, Signer
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consent.tlog.note import VerifierKey

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMAND = [sys.executable, "-c", "import cli; cli.main()", "ledger", "signer"]

DYING = """
import os, signal, sys
from pathlib import Path
from consent import signer_command
from consent.tlog.external import FileCheckpointStore

class Dying(FileCheckpointStore):
    def replace(self, expected, new):
        if sys.argv[1] == "persisted":
            super().replace(expected, new)
        os.kill(os.getpid(), signal.SIGKILL)

signer_command.FileCheckpointStore = Dying
signer_command.signer(["--state", sys.argv[2], "--socket", *sys.argv[3:]])
"""
"""The command with a disk that kills the process: before the new checkpoint is kept, or after and before the answer."""


@dataclass
class SignerHouse:
    """One signer's folder and socket, and the process that serves them.

    Attributes:
        folder: Where both lie; a short path, as sockets ask for.
        origin: The log's name.
    """

    folder: Path
    origin: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    @property
    def address(self) -> str:
        return f"unix:{self.socket}"

    @property
    def memory(self) -> Path:
        return self.state / "last"

    def run(self, *args: str, code: int = 0) -> str:
        """The command to its end; standard output, or standard error where it must fail."""
        done = subprocess.run(
            [*COMMAND, "--state", str(self.state), *args],
            env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    def init(self, *args: str) -> str:
        return self.run("--init", "--origin", self.origin, *args).strip()

    def start(self, *args: str) -> SignerProcess:
        return self._started([*COMMAND, "--state", str(self.state), "--socket", str(self.socket), *args])

    def start_dying(self, when: str, *args: str) -> SignerProcess:
        return self._started([sys.executable, "-c", DYING, when, str(self.state), str(self.socket), *args])

    def _started(self, command: list[str]) -> SignerProcess:
        process = subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        said = process.stderr.readline()
        assert " is at " in said, said + process.stderr.read()
        return SignerProcess(str(self.socket), self.origin)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the running process and wait for it."""
        process = self.processes.pop()
        process.send_signal(how)
        process.communicate(timeout=30)

    def died(self) -> int:
        """Wait until the running process has ended by itself; its exit code."""
        process = self.processes.pop()
        process.communicate(timeout=30)
        return process.returncode

    def close(self) -> None:
        while self.processes:
            self.stop(signal.SIGKILL)

    def key(self) -> VerifierKey:
        return SignerProcess(str(self.socket), self.origin).last()[0]


def posing_as(house: SignerHouse, answered: str) -> Callable[[bytes], str]:
    """What an impostor says who knows the signer's key and memory: `answered`, or what another key signs (`forged`)."""
    key, last = SignerProcess(str(house.socket), house.origin).last()
    forger = signing_key(house.origin, "another key")

    def answer(request: bytes) -> str:
        if request.endswith(b" last\n"):
            return f"last {key.vkey}\n\n{last.text()}"
        if answered == "forged":
            store = FileCheckpointStore(house.folder / "forger")
            Signer.prepare(forger, store, last)
            return Signer(forger, store).answer(request)
        return answered

    return answer


@contextmanager
def impostor(path: Path, answer: Callable[[bytes], str]) -> Iterator[None]:
    """Something else on the socket."""
    with SignerServer(path, answer, max_bytes=MAX_REQUEST_BYTES) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
