"""What the demo is played on: a folder with a home, a board with keys, rows laid out as files, and invented answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from consent.tlog.note import generate_key, save_key
from consent.trust_chain import Member
from governance import demo_people, membership
from governance import policy as policies
from governance.founding import found
from governance.house import House
from models import datasets, population, training

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from consent.tlog.note import SigningKey
    from models.service import Service

ORIGIN = "demo.luvalla.example/consent"
HELD_OUT = 0.25
"""Share of the families kept out of training and audit; the run is over them."""
BOARD = (
    ("aino", "Aino (played by the demo)", "chair"),
    ("bertil", "Bertil (played by the demo)", "data-protection-officer"),
    ("celeste", "Celeste (played by the demo)", "citizens-representative"),
)


@dataclass(frozen=True)
class Scene:
    """One step of the story.

    Args:
        name: Stable word, for `--json`.
        facts: What happened, JSON-able.
        played: What in it is invented or played; "" where nothing is.
    """

    name: str
    facts: dict[str, Any]
    played: str = ""


@dataclass
class Stage:
    """What the story is played on.

    Args:
        folder: Everything lies in it.
        seed: Everything drawn comes from it (keys and salts do not: they are secrets).
        tell: Called with each scene as it ends.
        busy: Called with what is about to take time.
        clock: What time it is.
    """

    folder: Path
    seed: int
    tell: Callable[[Scene], None]
    busy: Callable[[str], None]
    clock: Callable[[], datetime]
    keys: dict[str, SigningKey] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """LUVALLA_HOME of the demo."""
        return self.folder / "home"

    def chance(self, use: str) -> np.random.Generator:
        """A generator for one use, independent of the others."""
        return np.random.default_rng([self.seed, *use.encode()])


@dataclass(frozen=True)
class Rows:
    """A service's rows, split and written as files a city would have.

    Args:
        development: File of the families for training and audit.
        run: File of the families kept out.
    """

    development: Path
    run: Path


def open_house(stage: Stage) -> None:
    """`luvalla init`, and a board of three with a key each."""
    stage.busy("making a home: keys, trust root, purposes, policy, ledger, MLflow store")
    home = found(stage.home, origin=ORIGIN, clock=stage.clock, policy=policies.practice())
    with House.open(stage.home, clock=stage.clock) as house:
        root = membership.root_keys(house)
        board_keys = home.path / "board-keys"
        board_keys.mkdir(mode=0o700)
        now = stage.clock()
        trust = house.trust_root
        for member_id, name, role in BOARD:
            key = generate_key(membership.key_name(ORIGIN, member_id))
            save_key(key, board_keys / f"{member_id}.pem")
            stage.keys[member_id] = key
            term = Member(member_id, name, role, now, now + timedelta(days=730), key.verifier)
            trust = trust.add_member(term, root)
        membership.put_in_force(house, trust.with_quorum(len(BOARD), root))
        policy = house.policy()
        facts = {
            "home": str(home.path),
            "origin": ORIGIN,
            "trust_root": house.trust_root.pin,
            "policy": {
                "name": policy.name,
                "version": policy.version,
                "digest": policy.digest,
                "title": policy.title,
            },
            "board": [{"id": i, "name": n, "role": r} for i, n, r in BOARD],
            "quorum": house.trust_root.quorum,
        }
    stage.tell(Scene("house", facts, "The board's members and their votes are played by the demo."))


def lay_out_rows(stage: Stage, service: Service) -> Rows:
    """Split the shipped rows by family and write both parts as CSV files."""
    frame = datasets.load(service)
    held = training.held_out(service, frame, share=HELD_OUT, seed=stage.seed)
    folder = stage.folder / "rows"
    folder.mkdir(mode=0o700, exist_ok=True)
    rows = Rows(folder / f"{service.id}-development.csv", folder / f"{service.id}-run.csv")
    frame[~held].to_csv(rows.development, index=False)
    scoring = [column.name for column in service.columns(outcome=False)]
    frame.loc[held, scoring].to_csv(rows.run, index=False)
    return rows


def ask_everyone(stage: Stage, house: House, service: Service, rows: Rows) -> None:
    """Record invented answers of everyone, to the purposes that concern them."""
    asked = []
    for path, purpose, shares in (
        (rows.development, service.purposes.development, demo_people.DEVELOPMENT_SHARES),
        (rows.run, service.purposes.offer, demo_people.OFFER_SHARES),
    ):
        people = (
            population.load(path, service, outcome=path == rows.development)
            .frame[service.person_column]
            .tolist()
        )
        stage.busy(f"recording the answers of {len(people):,} people to {purpose}")
        answers = demo_people.answers(people, purpose, shares, stage.chance(purpose))
        house.ledger.record_consents(answers.events)
        asked.append(
            {
                "purpose": purpose,
                "title": house.ledger.purpose(purpose).title["en"],
                "people": len(people),
                "given": answers.given,
                "refused": answers.refused,
                "withdrawn": answers.withdrawn,
                "silent": answers.silent,
            }
        )
    checkpoint = house.ledger.checkpoint()
    facts = {"service": service.id, "source": service.source, "asked": asked, "ledger_size": checkpoint.size}
    stage.tell(Scene("consents", facts, demo_people.INVENTED))
