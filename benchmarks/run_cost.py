"""What a consented run adds to bare scoring and shap, a person: `python benchmarks/run_cost.py [PEOPLE] [--repeats 3]`.

Budget (issue 2), at 100,000 people: at most 25 us a person more than scoring and shap alone on the same rows, and at
most 25 us more for keeping what was seen of each person; for a linear and for a boosted model. Exits with 1 when the
processor time of any of the four breaks it (at 100,000 people and more; a smaller run has fixed costs to share out).

Made first, not counted: a home, a champion (trained on 4,000 invented rows, audited, voted for, promoted), PEOPLE
invented residents (models.synthetic, seeded) who all said yes, which is the dearest case; their file, read and checked.

Counted: everything `governance.run.run` does. That is, the champion's artifact copied and digested, its certificate
verified twice, the permits of everyone read, scoring, reasons with their check, the offers' texts in three languages
written and synced, the use recorded and covered by a signed checkpoint outside the database, and the offers released.

    bare scoring   the model's `predict_proba` on the rows
    bare shap      shap's explainer on the same rows, from the matrix that the pipeline makes of them
    added          the run less the two, as they took in the very same run: on a busy machine shap alone varies by more
                   than all that is asked about. Alone, they are measured too, and shown for comparison.

The product always keeps the values of those it scored. Without: the same run in this process, with
`governance.offers.values_kept` replaced by one that returns no bytes for anybody, which the ledger records as a run of
which nothing is kept (no values tree, no ciphertexts).

Measured (two idle cores, one thread, 100,000 people, medians of 5, November 2026), microseconds of processor time a person:

             bare scoring   bare shap   added by a run   more for keeping the values
    linear        0.2           0.2          12.7                   16.5
    boosted       2.4          66.0          15.6                   15.6
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import shap
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from consent.records import ConsentRequest
from consent.tlog.note import generate_key
from consent.trust_chain import Member
from consent.vocabulary import ConsentStatus
from governance import founding, membership, offers, promotion
from governance.auditing import audit
from governance.ballot import Condition
from governance.development import train
from governance.house import House
from governance.run import RunDone, champion, run
from governance.vote import Choice, sign_vote
from models import estimators, plugins, population, synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from models.population import Population
    from models.service import Service

BUDGET = 25.0
BUDGET_PEOPLE = 100_000
TRAINED_ON = 4_000
BOARD = ("aino", "bo", "celeste")
RECIPES = {"linear": "need", "boosted": "need-boosted"}
MICRO = 1e6
WITH, WITHOUT = "with values", "without values"

Times = tuple[float, float]
"""Wall and processor seconds."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("people", nargs="?", type=int, default=BUDGET_PEOPLE)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="profile one run of each kind instead")
    asked = parser.parse_args()
    service = plugins.service("health-benefit")
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        path = founding.found(Path(folder) / "home", origin="benchmark.invalid/consent").path
        with House.open(path) as house:
            development = developed_on(house, service, Path(folder))
            residents = enrolled(house, service, Path(folder), asked.people)
            for family, recipe in RECIPES.items():
                promoted(house, service, recipe, development)
                if asked.profile:
                    profiled(house, service, residents, Path(folder))
                else:
                    broken += measured(house, service, residents, Path(folder), family, asked.repeats)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(broken > 0 and asked.people >= BUDGET_PEOPLE)


def rows(service: Service, n: int, *, seed: int) -> pd.DataFrame:
    """Invented residents whose need follows two features and no group, so that an honest audit can pass."""
    frame = synthetic.residents(service, n, seed=seed)
    rng = np.random.default_rng(seed)
    signal = 0.12 * (frame["disea"] - 50) - 0.10 * (frame["mhi"] - 50) + rng.logistic(size=n) * 0.7
    frame["need"] = (signal > np.quantile(signal, 0.8)).astype(float)
    for measure in service.other_needs:
        frame[measure.column] = frame["need"]
    return frame


def developed_on(house: House, service: Service, folder: Path) -> Population:
    """The rows that the champions are trained on and audited with; everyone in them agreed."""
    file = folder / "development.csv"
    frame = rows(service, TRAINED_ON, seed=3)
    frame.to_csv(file, index=False)
    house.ledger.record_consents(
        ConsentRequest(person, service.purposes.development, ConsentStatus.GIVEN)
        for person in frame[service.person_column]
    )
    return population.load(file, service, outcome=True)


def enrolled(house: House, service: Service, folder: Path, people: int) -> Population:
    """The population: in the ledger, and loaded from its file."""
    file = folder / "people.csv"
    frame = synthetic.residents(service, people, seed=4, outcome=False)
    frame.to_csv(file, index=False)
    start = now()
    house.ledger.record_consents(
        ConsentRequest(person, service.purposes.offer, ConsentStatus.GIVEN)
        for person in frame[service.person_column]
    )
    told(f"{people:,} people enrolled with their consents (not counted)", since(start), people)
    start = now()
    loaded = population.load(file, service, outcome=False)
    told("their file read and checked (not counted)", since(start), people)
    return loaded


def promoted(house: House, service: Service, recipe: str, development: Population) -> None:
    """Train, audit, vote, promote."""
    if not house.members():
        trust, root, at = house.trust_root, membership.root_keys(house), house.clock()
        for member, key in KEYS.items():
            trust = trust.add_member(
                Member(member, member.capitalize(), "member", at, at + timedelta(days=700), key.verifier),
                root,
            )
        membership.put_in_force(house, trust.with_quorum(2, root))
    version = train(house, service, recipe, development, seed=1, by="dara").case.version
    audit(house, service, version, development, by="eetu")
    decision = promotion.judge(house, house.cases.get(service.id, version))
    if decision is None:
        raise SystemExit(f"{recipe} has no report")
    promotion.promote(house, service.id, version)
    terms: dict[str, Any] = {}
    if str(decision.outcome) == "not_enough_evidence":
        at = house.clock()
        terms = {
            "conditions": (Condition("Measure again.", at + timedelta(days=60)),),
            "expires": at + timedelta(days=200),
        }
    ballot = house.cases.get(service.id, version).question()
    if ballot is None:
        raise SystemExit(f"{recipe} was not put to the vote: {decision.why_not}")
    for key in KEYS.values():
        envelope = sign_vote(
            ballot, choice=Choice.FOR, reasons="For the benchmark.", at=datetime.now(UTC), key=key, **terms
        )
        promotion.cast(house, service.id, version, envelope)
    done = promotion.promote(house, service.id, version)
    if not isinstance(done, promotion.Promoted):
        raise SystemExit(f"{recipe} was not promoted: {decision.why_not}, {done}")


KEYS = {member: generate_key(f"benchmark.invalid/consent/{member}") for member in BOARD}


def measured(
    house: House, service: Service, residents: Population, folder: Path, family: str, repeats: int
) -> int:
    """Print what the runs of one champion cost; how many of its two budgets are broken."""
    people = len(residents.frame)
    print(f"\n{family}: {RECIPES[family]} of {service.id}, {people:,} people, medians of {repeats}")
    taken: dict[str, list[Times]] = {}
    start = now()
    ran(house, service, residents, folder)
    told("first run of this champion in this process (not counted: imports, caches)", since(start), people)
    for _ in range(repeats):
        for name, times in bare(house, service, residents).items():
            taken.setdefault(name, []).append(times)
        for kind, keeping in ((WITH, contextlib.nullcontext()), (WITHOUT, nothing_kept())):
            inner: dict[str, Times] = {}
            with keeping, timing(inner):
                start = now()
                ran(house, service, residents, folder)
                whole = since(start)
            used = [sum(each) for each in zip(*inner.values(), strict=True)]
            taken.setdefault(f"run {kind}", []).append(whole)
            taken.setdefault(f"added {kind}", []).append((whole[0] - used[0], whole[1] - used[1]))
            if kind == WITH:
                for name, times in inner.items():
                    taken.setdefault(f"{name} within a run", []).append(times)
    medians = {name: median(times) for name, times in taken.items()}
    for name, times in medians.items():
        if not name.startswith("added"):
            told(name, times, people)
    alone = [sum(each) for each in zip(medians["bare scoring"], medians["bare shap"], strict=True)]
    for kind in (WITHOUT, WITH):
        whole = medians[f"run {kind}"]
        print(
            f"    run {kind}: {whole[0] / alone[0]:.2f} times bare scoring and shap alone by wall time, "
            f"{whole[1] / alone[1]:.2f} by processor time"
        )
    without = medians[f"added {WITHOUT}"]
    kept = medians[f"added {WITH}"]
    more = (kept[0] - without[0], kept[1] - without[1])
    broken = 0
    for name, times in (("added by a run", without), ("more for keeping the values", more)):
        fails = times[1] / people * MICRO > BUDGET
        broken += fails
        verdict = ", BROKEN" if fails else ""
        if people < BUDGET_PEOPLE:
            verdict = f" at {BUDGET_PEOPLE:,} people; here fixed costs are shared by few"
        told(f"{name}: budget {BUDGET:.0f} us{verdict}", times, people)
    return broken


def bare(house: House, service: Service, residents: Population) -> dict[str, Times]:
    """Scoring and shap alone, on the rows of the run, with what the serving process has loaded."""
    serving = champion(house, service)
    frame = residents.frame[list(service.features)]
    start = now()
    serving.estimator.predict_proba(frame)  # type: ignore[union-attr]
    scoring = since(start)
    start = now()
    prepared = estimators.matrix(serving.estimator, frame)  # type: ignore[union-attr]
    model = serving.estimator.named_steps["model"]  # type: ignore[union-attr]
    if isinstance(model, HistGradientBoostingClassifier):
        shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(
            prepared, check_additivity=False
        )
    else:
        mean = shap.maskers.Independent(np.zeros((1, prepared.shape[1])), max_samples=1)
        shap.LinearExplainer(model, mean).shap_values(prepared)
    return {"bare scoring": scoring, "bare shap": since(start)}


@contextlib.contextmanager
def timing(taken: dict[str, Times]) -> Iterator[None]:
    """Sum up the time spent in the model's and shap's own functions, wherever they are called from."""
    with contextlib.ExitStack() as stack:
        for owner, name, of in (
            (Pipeline, "predict_proba", "scoring"),
            (estimators, "matrix", "shap"),
            (shap.TreeExplainer, "__init__", "shap"),
            (shap.TreeExplainer, "shap_values", "shap"),
            (shap.LinearExplainer, "__init__", "shap"),
            (shap.LinearExplainer, "shap_values", "shap"),
        ):
            stack.enter_context(mock.patch.object(owner, name, _timed(getattr(owner, name), of, taken)))
        yield


def _timed(function: Callable[..., Any], of: str, taken: dict[str, Times]) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        start = now()
        try:
            return function(*args, **options)
        finally:
            each, before = since(start), taken.get(of, (0.0, 0.0))
            taken[of] = (before[0] + each[0], before[1] + each[1])

    return timed


def nothing_kept() -> Any:
    """Runs that keep nothing of anybody; see the module."""
    return mock.patch.object(offers, "values_kept", lambda _service, frame, *_: [b""] * len(frame))


def ran(house: House, service: Service, residents: Population, folder: Path) -> None:
    out = folder / "offers.jsonl"
    done = run(house, service, residents, out, chance=np.random.default_rng(1))
    if not isinstance(done, RunDone) or done.scored != len(residents.frame):
        raise SystemExit(f"the run did not score everyone: {done}")
    out.unlink()


def profiled(house: House, service: Service, residents: Population, folder: Path) -> None:
    """Where one run's time goes."""
    import cProfile  # noqa: PLC0415
    import pstats  # noqa: PLC0415

    profile = cProfile.Profile()
    profile.runcall(ran, house, service, residents, folder)
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def now() -> Times:
    return time.perf_counter(), time.process_time()


def since(start: Times) -> Times:
    wall, processor = now()
    return wall - start[0], processor - start[1]


def median(times: list[Times]) -> Times:
    wall, processor = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(processor)


def told(what: str, times: Times, people: int) -> None:
    wall, processor = times
    print(
        f"{wall:8.2f} s wall {processor:8.2f} s processor "
        f"({wall / people * MICRO:7.1f} {processor / people * MICRO:7.1f} us a person)  {what}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
