"""The order of the demo's scenes, whatever the outcome of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent.ledger import utc_now
from governance import demo_citizen, demo_people
from governance.comparison import Option, compare
from governance.demo import AUDITOR, run_it, to_the_board, to_the_gate
from governance.demo_stage import Rows, Scene, Stage, ask_everyone, lay_out_rows, open_house
from governance.house import House
from governance.run import RunDone
from models import plugins, population

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from governance.auditing import Audited
    from governance.gate import GateDecision
    from models.service import Service

HEALTH_RECIPES = ("spending", "need", "need-equal-tpr")
HEALTH_OPTIONS = (
    Option("version 1: spending", "spending"),
    Option("the declared need", "need"),
    Option("need, equal true positive rates (fairlearn)", "need-equal-tpr"),
    Option("need, a threshold per race group", "need", thresholds_by="race"),
)
YOUTH_OPTIONS = (
    Option("the plain version, a fifth reached", "leaving"),
    Option("equal true positive rates (fairlearn)", "leaving-equal-tpr"),
    Option("equal selection (fairlearn)", "leaving-equal-selection"),
    Option("a threshold per group of origin", "leaving", thresholds_by="origin"),
    Option("the plain version, three in ten reached", "leaving", capacity=0.30),
)


def play(folder: Path, *, seed: int, tell: Callable[[Scene], None], busy: Callable[[str], None]) -> None:
    """Play the whole story.

    Args:
        folder: An empty folder; everything lands in it and stays.
        seed: Decides everything drawn, except keys and salts.
        tell: Called with each scene as it ends.
        busy: Called with what is about to take time.
    """
    stage = Stage(folder, seed, tell, busy, utc_now)
    open_house(stage)
    with House.open(stage.home, clock=stage.clock) as house:
        service = plugins.service("health-benefit")
        rows = lay_out_rows(stage, service)
        ask_everyone(stage, house, service, rows)
        last, known = _to_the_gate_in_turn(stage, house, service, rows)
        _compare(stage, house, service, rows, HEALTH_OPTIONS, ("race", "sex"), known)
        if last is None:
            tell(Scene("stop", {"service": service.id}))
        elif to_the_board(stage, house, service, *last):
            _run_and_look(stage, house, service, rows, last[0].case.digest)
        youth = plugins.service("youth-talk")
        youth_rows = lay_out_rows(stage, youth)
        ask_everyone(stage, house, youth, youth_rows)
        audited, _ = to_the_gate(stage, house, youth, "leaving", youth_rows)
        known = {"leaving": audited.cross_fit.selected}
        _compare(stage, house, youth, youth_rows, YOUTH_OPTIONS, ("origin", "sex"), known)
        tell(Scene("files", {"files": _files(stage, last)}))


def _to_the_gate_in_turn(
    stage: Stage, house: House, service: Service, rows: Rows
) -> tuple[tuple[Audited, GateDecision] | None, dict[str, Any]]:
    """The last version that the board may say yes to, or None; and whom each version selected, cross-fitted."""
    acceptable, known = None, {}
    for recipe in HEALTH_RECIPES:
        audited, decision = to_the_gate(stage, house, service, recipe, rows)
        known[recipe] = audited.cross_fit.selected
        if decision.acceptable:
            acceptable = (audited, decision)
    return acceptable, known


def _run_and_look(stage: Stage, house: House, service: Service, rows: Rows, digest: str) -> None:
    done = run_it(stage, house, service, rows, "first-run")
    if not isinstance(done, RunDone):
        return
    person = demo_citizen.citizen_looks(stage, house, service, rows, done)
    demo_citizen.citizen_withdraws(stage, house, service, rows, person)
    demo_citizen.ledger_is_changed(stage, house)
    demo_citizen.model_is_changed(stage, house, service, rows, digest)


def _compare(
    stage: Stage,
    house: House,
    service: Service,
    rows: Rows,
    options: Sequence[Option],
    attributes: Sequence[str],
    known: dict[str, Any],
) -> None:
    stage.busy(f"comparing {len(options)} ways for {service.id}")
    people = population.load(rows.development, service, outcome=True)
    outcomes = compare(house, service, people, options, attributes=attributes, seed=stage.seed, known=known)
    told: list[dict[str, Any]] = [
        {
            "option": vars(outcome.option),
            "selected": outcome.selected,
            "promotable": outcome.promotable,
            "groups": [vars(group) for group in outcome.groups],
        }
        for outcome in outcomes
    ]
    stage.tell(
        Scene("comparison", {"service": service.id, "by": AUDITOR, "outcomes": told}, demo_people.INVENTED)
    )


def _files(stage: Stage, last: tuple[Audited, GateDecision] | None) -> dict[str, str]:
    pages = sorted(str(path) for path in (stage.home / "reports").glob("*.html"))
    files = {
        f"audit report {place + 1} of {len(pages)}, as the board reads it": page
        for place, page in enumerate(pages)
    }
    if last is not None:
        files |= {
            "a citizen's receipt: luvalla verify": str(stage.folder / "receipt.json"),
            "the offers of the first run": str(stage.folder / "offers" / "first-run.jsonl"),
        }
    return files | {
        "the trust root that every verifier takes": str(stage.home / "trust-root.json"),
        f"the home itself: luvalla --home {stage.home} status": str(stage.home),
    }
