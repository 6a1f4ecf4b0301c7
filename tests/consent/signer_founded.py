"""A home that is made with a signer process, for the tests: whole, refused, or killed at a chosen moment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from consent.setup import create
from consent.signer_client import SignerProcess
from consent.signer_founding import founding_place
from tests.consent.ledger_world import OFFER, ORIGIN, Clock, G, World, purposes_text
from tests.consent.ledger_writers import stored_entries
from tests.consent.second_verifier import mth
from tests.consent.signer_house import ENVIRONMENT, ROOT, SignerHouse

if TYPE_CHECKING:
    from pathlib import Path

    from consent.errors import (
        ConsentError,
    )

KILLED = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from consent import home_place, setup, signer_founding
from consent.tlog.external import FileCheckpointStore

def dies(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def then_dies(real):
    def both(*args):
        real(*args)
        dies()
    return both

when, words = sys.argv[1], json.loads(sys.argv[2])
if when == "filled":
    setup.sync_all = dies
elif when == "kept":
    setup.put_in_place = then_dies(home_place.put_in_place)
elif when == "signed":
    FileCheckpointStore.replace = dies
elif when == "written":
    FileCheckpointStore.replace = then_dies(FileCheckpointStore.replace)
elif when == "named":
    signer_founding.put_in_place = then_dies(home_place.put_in_place)
words["clock"] = lambda at=datetime.fromisoformat(words["clock"]): at
setup.create(Path(words.pop("path")), **words)
"""
"""A set-up that dies: the entries are committed, the founding has its name, the signer has signed, the checkpoint is
written, the home has its name."""


@dataclass
class Founding:
    """A home that is to be made with a signer, and what it is to be made of."""

    folder: Path
    house: SignerHouse
    database: str | None
    clock: Clock

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @property
    def begun(self) -> Path:
        return founding_place(self.path)

    def words(self) -> dict[str, Any]:
        return {
            "origin": ORIGIN,
            "purposes": purposes_text(),
            "database": self.database,
            "signer": self.house.address,
        }

    def make(self, **changes: Any) -> World:
        return World(create(self.path, clock=self.clock, **{**self.words(), **changes}), self.clock)

    def start(self, when: str) -> subprocess.Popen[str]:
        """A process that makes the home, and is killed at a moment of `KILLED`."""
        words = {**self.words(), "path": str(self.path), "clock": self.clock.now.isoformat()}
        return subprocess.Popen(
            [sys.executable, "-c", KILLED, when, json.dumps(words)],
            env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def killed(self, when: str) -> None:
        """The same to its end."""
        process = self.start(when)
        said = process.communicate(timeout=120)[1]
        assert process.returncode == -signal.SIGKILL, said

    def refused(self, error: type[ConsentError], code: int, **changes: Any) -> ConsentError:
        """It is refused, there is no home, and what was there before is there as it was."""
        before = (self.names(), self.house.memory.read_bytes(), self.tables())
        with pytest.raises(error) as caught:
            self.make(**changes)
        assert caught.value.exit_code == code
        assert caught.value.hint
        assert (self.names(), self.house.memory.read_bytes(), self.tables()) == before
        return caught.value

    def names(self) -> set[str]:
        return {entry.name for entry in self.folder.iterdir()}

    def tables(self) -> int:
        """Tables in the PostgreSQL database."""
        if self.database is None:
            return 0
        with psycopg.connect(self.database) as connection:
            query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            return connection.execute(query).fetchone()[0]

    def empty_database(self) -> None:
        """What the page tells to do with the database of a founding that is given up."""
        if self.database is not None:
            with psycopg.connect(self.database, autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")

    def whole(self, world: World) -> None:
        """The home is the one history that its signer signed, and it goes on."""
        assert self.names() >= {"home"}
        assert not self.begun.exists()
        bodies = [body for _, body in stored_entries(world, self.database)]
        with world.open() as ledger:
            head = ledger.head()
            assert (head.size, head.root) == (len(bodies), mth(bodies))
            assert head.checkpoint.head == self.house_last()
            assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
            assert ledger.check() == []
            assert not ledger.record_consent("a", OFFER, G, request_id="r").replayed
            receipt = ledger.consent_receipt("a", OFFER)
            assert world.verify(receipt).signed_by == (self.house.key().keyid,)
            assert ledger.check() == []
        assert {path.name for path in world.home.keys.iterdir()} == {
            "kek", "keks.json", "pseudonym", "root.pem",
        }  # fmt: skip

    def house_last(self) -> Any:
        return SignerProcess(str(self.house.socket), ORIGIN).last()[1]
