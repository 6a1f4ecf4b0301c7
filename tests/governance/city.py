"""A whole invented city: home, board, consents, and a champion, quickly made; and its state, kept and put back."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from consent.records import ConsentRequest
from consent.tlog.note import generate_key, save_key
from consent.trust_chain import Member
from consent.vocabulary import ConsentStatus
from governance import founding, membership, promotion, run
from governance.auditing import audit
from governance.ballot import Condition
from governance.development import train
from governance.house import House
from governance.vote import Choice, sign_vote
from models import plugins, population, synthetic

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = plugins.service("health-benefit")
BOARD = ("aino", "bo", "celeste")


class Clock:
    """Real time, moved by hand: the ledger refuses to go backwards."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def rows(n: int, seed: int):
    """Invented residents whose need follows two features and no group, so that an honest audit can pass."""
    frame = synthetic.residents(SERVICE, n, seed=seed)
    rng = np.random.default_rng(seed)
    signal = 0.12 * (frame["disea"] - 50) - 0.10 * (frame["mhi"] - 50) - 1.6 + rng.logistic(size=n) * 0.7
    frame["need"] = (signal > np.quantile(signal, 0.8)).astype(float)
    for measure in SERVICE.other_needs:
        frame[measure.column] = frame["need"]
    frame["physical_limitation"] = frame["need"]
    return frame


@dataclass
class City:
    folder: Path
    home: Path
    clock: Clock
    keys: dict
    development: Path
    people: Path
    names: list

    def house(self) -> House:
        return House.open(self.home, clock=self.clock)

    def load_people(self):
        return population.load(self.people, SERVICE, outcome=False)

    def load_development(self):
        return population.load(self.development, SERVICE, outcome=True)

    def with_race_known(self, path: Path) -> Path:
        """The development file with everybody's race: no line has to be accepted on too little evidence, as for version 1."""
        people = pd.read_csv(self.development, dtype=str)
        people.assign(race=people["race"].replace("unknown", "other")).to_csv(path, index=False)
        return path

    def vote(self, house, version, member, choice=Choice.FOR, **terms):
        ballot = house.cases.get(SERVICE.id, version).question()
        envelope = sign_vote(
            ballot,
            choice=choice,
            reasons="I read the report.",
            at=self.clock(),
            key=self.keys[member],
            **terms,
        )
        return promotion.cast(house, SERVICE.id, version, envelope)

    def run(self, house, name, **options):
        out = self.folder / "offers" / f"{name}.jsonl"
        done = run.run(house, SERVICE, self.load_people(), out, chance=np.random.default_rng(1), **options)
        return done, out


def make_city(folder: Path) -> City:
    clock = Clock()
    home = founding.found(folder / "home", origin="test.example/consent", clock=clock).path
    development, people = folder / "development.csv", folder / "people.csv"
    trained_on, asked = rows(4000, seed=3), rows(300, seed=4)
    trained_on.to_csv(development, index=False)
    asked[[column.name for column in SERVICE.columns(outcome=False)]].to_csv(people, index=False)
    names = asked["person_id"].tolist()
    city = City(folder, home, clock, {}, development, people, names)
    with city.house() as house:
        root = membership.root_keys(house)
        trust = house.trust_root
        for member in BOARD:
            key = generate_key(membership.key_name(house.ledger.origin, member))
            save_key(key, folder / f"{member}.pem")
            city.keys[member] = key
            now = clock()
            term = Member(member, member.capitalize(), "member", now, now + timedelta(days=700), key.verifier)
            trust = trust.add_member(term, root)
        membership.put_in_force(house, trust.with_quorum(2, root))
        given = ConsentStatus.GIVEN
        everyone = [
            ConsentRequest(p, SERVICE.purposes.development, given) for p in trained_on["person_id"][:3900]
        ]
        everyone += [ConsentRequest(p, SERVICE.purposes.offer, given) for p in names[:250]]
        everyone += [ConsentRequest(p, SERVICE.purposes.offer, ConsentStatus.REFUSED) for p in names[250:280]]
        house.ledger.record_consents(everyone)
    return city


def promote_first_version(city: City) -> str:
    with city.house() as house:
        done = train(house, SERVICE, "need", city.load_development(), seed=1, by="dara")
        version = done.case.version
        audit(house, SERVICE, version, city.load_development(), by="eetu")
        decision = promotion.judge(house, house.cases.get(SERVICE.id, version))
        assert decision.acceptable, decision.why_not
        waiting = promotion.promote(house, SERVICE.id, version)
        assert isinstance(waiting, promotion.NotPromoted)
        assert waiting.waiting
        terms = {}
        if str(decision.outcome) == "not_enough_evidence":
            due = city.clock() + timedelta(days=60)
            terms = {
                "conditions": (Condition("Measure again.", due),),
                "expires": city.clock() + timedelta(days=200),
            }
        for member in BOARD:
            city.vote(house, version, member, **terms)
        assert isinstance(promotion.promote(house, SERVICE.id, version), promotion.Promoted)
    return version


class Kept:
    """A copy of a folder's files, to compare with later and to put back in place.

    Files are put back into the same inodes: MLflow keeps its database open for the life of the process.
    """

    def __init__(self, folder: Path, beside: Path) -> None:
        self.folder = folder
        self.beside = beside
        shutil.copytree(folder, beside, symlinks=True)
        self.first = state(folder)

    def put_back(self) -> None:
        now = state(self.folder)
        for name in now.keys() - self.first.keys():
            (self.folder / name).unlink()
        for name, digest in self.first.items():
            if now.get(name) != digest:
                target = self.folder / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                target.write_bytes((self.beside / name).read_bytes())
                shutil.copymode(self.beside / name, target)


def state(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder by its relative name; SQLite's shared memory and lock files say nothing."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm") and path.name != ".lock"
    }
