"""Which models gave the scores, and whether the deployed one orders people as they do."""

from __future__ import annotations

import numpy as np
import pytest

from audits import html, runner
from audits import report as reports
from audits.errors import AuditsInputError
from audits.finding import Outcome, Role
from audits.procedure import CrossFitted, HeldOut

N = 600
RNG = np.random.default_rng(4)
QUANTILE = RNG.random(N)
NEED = (RNG.random(N) < QUANTILE).astype(float)
MODELS = tuple(f"sha256:{k}{'0' * 63}" for k in range(3))


def crossed(noise: float, **changes: object) -> CrossFitted:
    told = {
        "fold": np.arange(N) % 3,
        "models": MODELS,
        "trained_on": (400, 400, 400),
        "quantile": QUANTILE,
        "refit": f"sha256:{'f' * 64}",
        "refit_score": QUANTILE + noise * np.random.default_rng(5).random(N),
        "capacity": 0.2,
    }
    return CrossFitted(**told | changes)


def audit(procedure, need=NEED):
    return runner.audit(
        need,
        (QUANTILE > 0.8).astype(int),
        sensitive_features={"g": np.where(np.arange(N) % 2 == 0, "a", "b")},
        procedure=procedure,
    )


def test_the_report_names_the_folds_models_and_the_refit_and_a_refit_that_agrees_passes() -> None:
    found = audit(crossed(0.1))
    facts = found.procedure
    assert tuple(f.digest for f in facts.folds) == MODELS
    assert [f.scored for f in facts.folds] == [200, 200, 200]
    assert facts.folds[0].above == pytest.approx((QUANTILE[::3] > 0.8).mean())
    finding = found.finding("procedure.refit_agreement")
    assert (finding.outcome, finding.limit) == (Outcome.PASSED, 0.95)
    assert finding.estimate == facts.correlation
    assert facts.correlation > 0.99
    page = html.page(found)
    for name in (*MODELS, facts.refit):
        assert name in page
    assert reports.from_json(found.to_json()).digest == found.digest


def test_a_refit_that_orders_people_otherwise_fails_the_audit() -> None:
    found = audit(crossed(0.6))
    finding = found.finding("procedure.refit_agreement")
    assert finding.estimate is not None
    assert 0.8 < finding.estimate < 0.95
    assert (finding.outcome, finding.role) == (Outcome.FAILED, Role.SCREENS)
    assert found.verdict.outcome is Outcome.FAILED
    assert finding.code in found.verdict.because
    same = audit(crossed(0, refit_score=np.full(N, 0.5))).finding("procedure.refit_agreement")
    assert (same.outcome, same.estimate) == (Outcome.NOT_ENOUGH_EVIDENCE, None)


def test_it_is_of_everybody_also_of_those_whose_outcome_is_unknown() -> None:
    unknown = np.where(np.arange(N) % 5 == 0, np.nan, NEED)
    assert audit(crossed(0.1), unknown).finding("procedure.refit_agreement").n == N
    short = {name: getattr(crossed(0.1), name)[:-3] for name in ("fold", "quantile", "refit_score")}
    assert audit(crossed(0.1, **short)).finding("procedure.could_not_run").outcome is Outcome.COULD_NOT_RUN


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quantile": QUANTILE[:-1]}, "599"),
        ({"fold": np.arange(N) % 2}, "folds"),
        ({"quantile": QUANTILE + 1}, "within 0 and 1"),
        ({"refit_score": np.full(N, np.nan)}, "not finite"),
        ({"trained_on": (400,)}, "1 numbers"),
    ],
)
def test_what_does_not_fit_together_is_told(changes, told) -> None:
    with pytest.raises(AuditsInputError, match=told):
        crossed(0.1, **changes)


def test_held_out_rows_are_three_sets_and_an_overlap_is_refused() -> None:
    sets = {"train": range(1000), "tune": range(1000, 1200), "audit": range(1200, 1800)}
    found = audit(HeldOut(**sets))
    assert (found.procedure.train, found.procedure.tune, found.procedure.audit) == (1000, 200, 600)
    assert "1,000" in html.page(found)
    for one, other in (("train", "tune"), ("train", "audit"), ("tune", "audit")):
        with pytest.raises(
            AuditsInputError, match=f"1 people or families are in both the {one} and the {other}"
        ):
            HeldOut(**sets | {other: [*sets[other], next(iter(sets[one]))]})
    with pytest.raises(AuditsInputError, match="audit set is empty"):
        HeldOut(**sets | {"audit": []})
    assert HeldOut(**sets | {"tune": ()}).tune == ()


def test_without_a_procedure_nothing_is_said() -> None:
    found = audit(None)
    assert found.procedure is None
    assert not [f for f in found.findings if f.check == "procedure"]
