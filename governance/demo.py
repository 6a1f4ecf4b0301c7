"""The whole promise on real rows, in one process: every number is computed, no step's outcome is scripted.

Each step returns what happened as plain facts (`Scene`); `demo_story.py` makes the text from the facts, so `--json` and the terminal
tell the same. Rows are real; identities, consents, board members and their votes are invented or played, and marked so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.finding import Scale
from consent.tlog.note import generate_key, save_key
from consent.trust_chain import Member
from governance import demo_people, membership, promotion
from governance.auditing import audit
from governance.ballot import Ballot, Condition
from governance.development import train
from governance.founding import found
from governance.gate import GateOutcome
from governance.house import House
from governance.promotion import NotPromoted
from governance.run import RunRefused, run
from governance.vote import Choice, sign_vote
from models import datasets, population, training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from consent.tlog.note import SigningKey
    from governance.auditing import Audited
    from governance.gate import GateDecision
    from models.service import Service

ORIGIN = "demo.luvalla.example/consent"
SEED = 2026
HELD_OUT = 0.25
"""Share of the families kept out of training and audit; the run is over them."""
SCIENTIST = "demo-data-scientist"
AUDITOR = "demo-auditor"
_WORTH_SAYING = -0.05
"""The played citizens' representative dissents where another measure of need shows a gap of five points: half the limit."""
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
    home = found(stage.home, origin=ORIGIN, clock=stage.clock)
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
            "policy": {"name": policy.name, "version": policy.version, "digest": policy.digest},
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


def to_the_gate(
    stage: Stage, house: House, service: Service, recipe: str, rows: Rows
) -> tuple[Audited, GateDecision]:
    """Train a version on consenting people, register it, audit it, and ask the gate."""
    development = population.load(rows.development, service, outcome=True)
    stage.busy(f"training '{recipe}' and registering it in MLflow")
    trained = train(house, service, recipe, development, seed=stage.seed, by=SCIENTIST)
    stage.busy(f"auditing version {trained.case.version}")
    audited = audit(
        house, service, trained.case.version, development, by=AUDITOR, simulated=(demo_people.INVENTED,)
    )
    decision = promotion.judge(house, audited.case)
    if decision is None:  # pragma: no cover - it was just audited
        message = "a version that was audited has no report"
        raise AssertionError(message)
    facts = {
        "service": service.id,
        "version": trained.case.version,
        "recipe": recipe,
        "description": trained.fitted.recipe.description,
        "notes": list(trained.fitted.notes),
        "trained_on": trained.used,
        "left_out": dict(trained.left_out),
        "gate": str(decision.outcome),
        "acceptable": decision.acceptable,
        "why_not": list(decision.why_not),
        "lines": [
            line_facts(line.finding, str(line.outcome), acceptable=line.acceptable) for line in decision.lines
        ],
        "price": [vars(row) for row in audited.report.price],
        "compared": sorted(
            {line.finding.attribute for line in decision.lines if line.finding and line.finding.attribute}
        ),
        "people": vars(audited.report.population),
        "report": audited.report.digest,
    }
    stage.tell(Scene("gate", facts))
    return audited, decision


def line_facts(finding: Any, outcome: str, *, acceptable: bool) -> dict[str, Any]:
    """What the story tells of one deciding line."""
    if finding is None:
        return {"outcome": outcome, "acceptable": acceptable, "line": None}
    names = (
        "line",
        "metric",
        "attribute",
        "group",
        "estimate",
        "low",
        "high",
        "limit",
        "leaning",
        "scale",
        "rate",
        "rest_rate",
    )
    return {
        "outcome": outcome,
        "acceptable": acceptable,
        "too_few": finding.too_few,
        **{name: getattr(finding, name) for name in names},
    }


def to_the_board(
    stage: Stage, house: House, service: Service, audited: Audited, decision: GateDecision
) -> bool:
    """Three votes, written from the report, and the promotion. True when there is a champion now."""
    version = audited.case.version
    ballot = promotion.open_ballot(house, service.id, version)
    if not isinstance(ballot, Ballot):  # the caller asks only for what the gate lets through
        stage.tell(
            Scene(
                "board",
                {"version": version, "votes": [], "outcome": "refused", "reasons": list(ballot.why_not)},
            )
        )
        return False
    votes = _votes(stage, house, ballot, audited, decision)
    told = []
    for member, choice, reasons, conditions, expires in votes:
        envelope = sign_vote(
            ballot,
            choice=choice,
            reasons=reasons,
            at=stage.clock(),
            key=stage.keys[member],
            conditions=conditions,
            expires=expires,
        )
        promotion.cast(house, service.id, version, envelope)
        told.append(
            {
                "member": member,
                "choice": str(choice),
                "reasons": reasons,
                "conditions": [c.text for c in conditions],
            }
        )
    result = promotion.promote(house, service.id, version)
    facts: dict[str, Any] = {"service": service.id, "version": version, "ballot": ballot.id, "votes": told}
    if isinstance(result, NotPromoted):
        facts |= {"outcome": "refused", "reasons": list(result.reasons)}
    else:
        facts |= {
            "outcome": str(result.decision.outcome),
            "certificate": result.certificate,
            "index": result.index,
            "expires": result.expires,
            "conditions": [list(item) for item in result.conditions],
        }
    stage.tell(Scene("board", facts, "Three votes, played by the demo."))
    return not isinstance(result, NotPromoted)


def _votes(
    stage: Stage, house: House, ballot: Ballot, audited: Audited, decision: GateDecision
) -> Sequence[tuple[str, Choice, str, tuple[Condition, ...], datetime | None]]:
    """What each member says, from what the report says: for, with terms where evidence is short; against where a reason is real."""
    now = stage.clock()
    months = house.policy().board.accept.months_at_most
    uncertain = decision.outcome is GateOutcome.NOT_ENOUGH_EVIDENCE
    expires = now + timedelta(days=30 * months - 5) if uncertain else None
    terms = (
        (
            Condition(
                "Audit again on the people reached, with those who were not selected counted.",
                now + timedelta(days=180),
            ),
        )
        if uncertain
        else ()
    )
    why = (
        f"Not enough evidence on {len(ballot.undecided)} line(s), all leaning for: I accept it for a time, and want it measured again."
        if uncertain
        else "Every deciding line passed."
    )
    worst = _worst_by_another_measure(audited)
    if worst is None:
        last = (
            BOARD[2][0],
            Choice.FOR,
            "No group is missed more by any measure of need that we hold.",
            terms,
            expires,
        )
    else:
        group, measure, gap = worst
        reason = (
            f"By another measure of need ({measure.replace('_', ' ')}) the group '{group}' is found {-100 * gap:.0f} percentage points "
            "less often than others. The declared measure hides that."
        )
        last = (BOARD[2][0], Choice.AGAINST, reason, (), None)
    return (
        (BOARD[0][0], Choice.FOR, why, terms, expires),
        (
            BOARD[1][0],
            Choice.FOR,
            f"{why} The model uses no race, and each person was asked.",
            terms,
            expires,
        ),
        last,
    )


def _worst_by_another_measure(audited: Audited) -> tuple[str, str, float] | None:
    """Group, measure and gap where another measure of need says that a group is missed most, if by `_WORTH_SAYING` or more."""
    gaps = [
        (finding.estimate, finding.group or "", finding.measure or "")
        for finding in audited.report.findings
        if finding.metric == "other_need_tpr_gap"
        and finding.scale is Scale.DIFFERENCE
        and finding.estimate is not None
    ]
    if not gaps or min(gaps)[0] > _WORTH_SAYING:
        return None
    gap, group, measure = min(gaps)
    return group, measure, gap


def run_it(stage: Stage, house: House, service: Service, rows: Rows, name: str) -> Any:
    """The consented run over the families kept out."""
    people = population.load(rows.run, service, outcome=False)
    stage.busy(f"running {service.id} on {len(people.frame):,} people")
    out = stage.folder / "offers" / f"{name}.jsonl"
    done = run(house, service, people, out, chance=stage.chance(name))
    if isinstance(done, RunRefused):
        stage.tell(
            Scene(
                "run-refused",
                {"check": done.check, "reason": done.reason, "way_out": done.way_out, "name": name},
            )
        )
        return done
    stage.tell(
        Scene(
            "run",
            {
                "name": name,
                "out": str(out),
                "run": done.run.hex(),
                "index": done.index,
                "version": done.version,
                "people": done.people,
                "scored": done.scored,
                "selected": done.selected,
                "sampled": done.sampled,
                "left_out": dict(done.left_out),
            },
            demo_people.INVENTED,
        )
    )
    return done
