"""A city that is monitored: a ledger that publishes, and whoever follows what it publishes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consent.home import open_home
from consent.published_log import FolderFiles
from consent.records import ConsentRequest
from consent.tlog.monitor import follow
from consent.tlog.monitor_state import MonitorState
from tests.consent.ledger_world import OFFER, ORIGIN, G, World, make_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.tlog.checkpoint import Checkpoint


@dataclass
class City:
    """A ledger that publishes, and can be copied to be rewritten.

    Attributes:
        world: Its home.
        public: Where it publishes.
    """

    world: World
    public: Path

    def give(self, start: int, count: int) -> Checkpoint:
        with self.world.open() as ledger:
            ledger.record_consents(
                [ConsentRequest(f"invented-{each}", OFFER, G) for each in range(start, start + count)]
            )
            return ledger.checkpoint()

    def publish(self) -> None:
        with self.world.open() as ledger:
            ledger.publish(self.public)

    def fork(self, folder: Path) -> City:
        """The same keys and the same past, from now on with a life of its own."""
        shutil.copytree(self.world.home.path, folder / "home")
        return City(World(open_home(folder / "home"), self.world.clock), folder / "public")

    def keys_at(self, size: int):
        with self.world.open(read_only=True) as ledger:
            return ledger.log.trust.log_vkeys(size)

    @property
    def vkey(self) -> str:
        return next(iter(self.keys_at(1))).vkey


@dataclass
class Counting:
    """Files that are counted as they are read."""

    inner: FolderFiles
    names: list[str] = field(default_factory=list)

    def read(self, name: str, limit: int) -> bytes | None:
        self.names.append(name)
        return self.inner.read(name, limit)


def make_city(folder: Path) -> City:
    return City(make_world(folder / "city"), folder / "city" / "public")


def watcher(city: City, folder: Path) -> Callable:
    """Follow what is published in a folder; the state is one monitor's."""

    def call(files=None, seen=(), state="state"):
        memory = MonitorState(folder / state, ORIGIN, city.keys_at)
        with memory.locked():
            return follow(files or FolderFiles(city.public), memory, ORIGIN, city.keys_at, seen)

    return call
