"""A small invented city for the ledger's tests: a home, a clock that the test turns, and words to ask with."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from consent.home import Home, open_home
from consent.ledger import Ledger
from consent.setup import create
from consent.tlog.verify import Verified, verify_receipt
from consent.trust import TrustRoot
from consent.uses import ModelRef, UseRequest
from consent.vocabulary import ConsentStatus

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "city.example/consent"
OFFER = "reading-help.offer"
DEVELOPMENT = "reading-help.development"
START = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
MODEL = ModelRef("reading-help", "1", "sha256:" + "ab" * 32)
G = ConsentStatus.GIVEN


def purposes_text(*, version: int = 1, notice_version: int = 1, extra: str = "") -> str:
    """Two purposes; a higher version adds the next version of the offer."""
    parts = [
        purpose_text(OFFER, 1, 1, '["scoring", "human-review"]'),
        purpose_text(DEVELOPMENT, 1, 1, '["training", "audit"]'),
    ]
    parts += [
        purpose_text(OFFER, v, notice_version, '["scoring", "human-review"]') for v in range(2, version + 1)
    ]
    return "\n".join(parts) + extra


def purpose_text(purpose_id: str, version: int, notice_version: int, processing: str) -> str:
    """One purpose with its notice."""
    texts = "\n".join(
        f'[purpose.{table}]\nfi = "{table} {version} fi ä"\nsv = "{table} {version} sv å"\nen = "{table} {version} en"'
        for table in ("title", "description", "effects_of_no")
    )
    return f"""
[[purpose]]
id = "{purpose_id}"
version = {version}
service = "reading-help"
legal_basis = "eu-gdpr:A6-1-e"
processing = {processing}
categories = ["dpv-pd:Education", "dpv-pd:Age"]
retention_days = 30
consent_days = 365
controller = "City of Example"
recipients = []
{texts}
[purpose.notice]
id = "{purpose_id}"
version = {notice_version}
[purpose.notice.text]
fi = "Saammeko? {notice_version} ä"
sv = "Får vi? {notice_version}"
en = "May we? {notice_version}"
"""


@dataclass
class Clock:
    """A clock that stands until the test turns it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class World:
    """A home and its clock.

    Attributes:
        home: The home.
        clock: Its clock.
    """

    home: Home
    clock: Clock = field(default_factory=Clock)

    def open(self, **how: object) -> Ledger:
        return Ledger.open(self.home, clock=self.clock, **how)  # type: ignore[arg-type]

    def verify(self, receipt: dict) -> Verified:
        pin = open_trust(self.home)
        return verify_receipt(json.dumps(receipt).encode(), self.home.trust_root.read_bytes(), pin)


def open_trust(home: Home) -> str:
    """The pin, from luvalla.toml."""
    line = next(line for line in home.config.read_text().splitlines() if line.startswith("trust_root"))
    return line.split('"')[1]


def trust(world: World) -> TrustRoot:
    """The trust root of the home, as whoever has its pin believes it."""
    return TrustRoot.load(world.home.trust_root, open_trust(world.home))


def kept(world: World) -> tuple[int, bytes]:
    """How many entries there are, and the checkpoint outside: what must not change at a refusal."""
    with world.open(read_only=True) as ledger:
        return ledger.head().size, world.home.checkpoint.read_bytes()


def make_world(
    folder: Path, text: str | None = None, database: str | None = None, clock: Clock | None = None
) -> World:
    clock = clock or Clock()
    create(folder / "home", origin=ORIGIN, purposes=text or purposes_text(), clock=clock, database=database)
    return World(open_home(folder / "home"), clock)


def use_request(ledger: Ledger, people: dict[str, int], /, **changes: object) -> UseRequest:
    """A run over people by their ids; the statuses are their codes."""
    fields: dict = {
        "run": os.urandom(16),
        "processing": "scoring",
        "purpose_id": OFFER,
        "service": "reading-help",
        "numbers": [ledger.number_of(person) for person in people],
        "statuses": list(people.values()),
        "state": ledger.checkpoint(),
        "model": MODEL,
        **changes,
    }
    return UseRequest(**fields)
