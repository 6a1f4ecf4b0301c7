"""The whole promise on real rows, in one process: every number is computed, no step's outcome is scripted.

Each step returns what happened as plain facts (`Scene`); `demo_story.py` makes the text from the facts, so `--json` and the terminal
tell the same. Rows are real; identities, consents, board members and their votes are invented or played, and marked so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audits.finding import Scale
from governance import demo_people, promotion
from governance.auditing import audit
from governance.ballot import Ballot, Condition
from governance.demo_stage import BOARD, Scene
from governance.development import train
from governance.gate import GateOutcome
from governance.promotion import NotPromoted
from governance.run import RunRefused, run
from governance.vote import Choice, sign_vote
from models import population

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from governance.auditing import Audited
    from governance.demo_stage import Rows, Stage
    from governance.gate import GateDecision
    from governance.house import House
    from models.service import Service

SCIENTIST = "demo-data-scientist"
AUDITOR = "demo-auditor"
_WORTH_SAYING = -0.05
"""The played citizens' representative dissents where another measure of need shows a gap of five points: half the limit."""


def to_the_gate(
    stage: Stage, house: House, service: Service, recipe: str, rows: Rows
) -> tuple[Audited, GateDecision]:
    """Train a version on consenting people, register it, audit it, and ask the gate."""
    development = population.load(rows.development, service, outcome=True)
    stage.busy(f"training '{recipe}' and registering it in MLflow")
    trained = train(house, service, recipe, development, seed=stage.seed, by=SCIENTIST)
    stage.busy(f"auditing version {trained.case.version}")
    audited = audit(
        house,
        service,
        trained.case.version,
        development,
        by=AUDITOR,
        simulated=(demo_people.INVENTED_CONSENTS,),
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
        "chance": audited.report.rule.chance,
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
        f"Not enough evidence on {', '.join(ballot.undecided)}, leaning for: I accept it for a time, and want it measured again."
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
