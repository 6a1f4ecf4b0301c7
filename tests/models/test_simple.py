"""The simple models beside a version: scored by models that saw nobody they score, at its capacity, in its folds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models import probing, reasons, simple, synthetic, testing, training
from models.health_benefit import SERVICE as HEALTH
from models.service import PriorRule
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    import pandas as pd

    from models.service import Service


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return synthetic.residents(YOUTH, 600, seed=3)


def test_a_scorecard_is_the_sum_of_whole_points_and_selects_up_to_capacity(rows: pd.DataFrame) -> None:
    fold = training.fold_of(YOUTH, rows, n=3, seed=1)
    card, plain = simple.cross_fitted(YOUTH, YOUTH.recipes["leaving"], rows, fold, capacity=0.2, seed=1)
    again, _ = simple.cross_fitted(YOUTH, YOUTH.recipes["leaving"], rows, fold, capacity=0.2, seed=1)
    assert np.array_equal(card.scores, again.scores)
    for one in (card, plain):
        shares = [one.selected[fold == k].mean() for k in range(3)]
        assert np.allclose(shares, 0.2, atol=0.02)


def test_plain_logistic_regression_is_the_linear_recipe_cross_fitted(rows: pd.DataFrame) -> None:
    crossed = training.cross_fit(YOUTH, "leaving", rows, folds=3, seed=1)
    recipe = YOUTH.recipes["leaving"]
    made = simple.cross_fitted(YOUTH, recipe, rows, crossed.fold, capacity=0.2, seed=1)
    saved = simple.cross_fitted(YOUTH, recipe, rows, crossed.fold, capacity=0.2, seed=1, plain=crossed.refits)
    assert np.allclose(1 / (1 + np.exp(-made[1].scores)), crossed.scores)
    assert np.array_equal(made[0].scores, saved[0].scores)
    assert np.array_equal(made[1].selected, crossed.selected)


@pytest.mark.parametrize(("first", "sign"), [("lowest", -1), ("highest", 1)])
def test_the_office_s_own_order_is_the_feature_s_and_unknown_comes_last(
    rows: pd.DataFrame, first: str, sign: int
) -> None:
    rule = PriorRule("read12", first, "Those who read least came first.")  # type: ignore[arg-type]
    service, some = replace(YOUTH, prior_rule=rule), rows.assign(read12=rows["read12"].mask(rows.index == 7))
    prior = simple.prior(service, some, np.zeros(len(some), dtype=np.int64), 0.2)
    assert prior is not None
    known = np.delete(np.arange(len(some)), 7)
    assert np.array_equal(
        np.argsort(prior.scores[known], kind="stable"),
        np.argsort(sign * some["read12"].to_numpy()[known], kind="stable"),
    )
    assert prior.scores[7] == prior.scores.min()
    assert prior.selected.mean() == pytest.approx(0.2, abs=0.01)
    assert simple.prior(YOUTH, some, np.zeros(len(some), dtype=np.int64), 0.2) is None


def test_a_boosted_recipe_keeps_the_directions_its_service_declares(bus_service: Service) -> None:
    """One-hot columns beside it, and a category that the rows never have: the constraint still meets its column."""
    rows = synthetic.residents(bus_service, 400, seed=2)
    rows = rows[rows["zone"] != "C"].reset_index(drop=True)
    declared = replace(bus_service, monotone={"age": "decreasing"})
    free = training.fit(bus_service, "boosted", rows, seed=1).estimator
    bound = training.fit(declared, "boosted", rows, seed=1).estimator
    steps = []
    for estimator in (free, bound):
        grid, output = probing.over_grid(
            estimator, declared, rows.head(50), "age", rows["age"].to_numpy(float)
        )
        assert output.shape == (50, len(grid))
        steps.append(np.diff(output, axis=1).max())
    assert steps[0] > 0.01
    assert steps[1] <= 1e-9
    assert np.isfinite(reasons.explain(bound, declared, rows).contributions).all()


def test_a_declaration_changes_the_contract_and_no_other_service_s(bus_service: Service) -> None:
    declared = replace(bus_service, monotone={"age": "decreasing"})
    assert declared.contract_digest() != bus_service.contract_digest()
    assert replace(declared, monotone={}).contract_digest() == bus_service.contract_digest()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"monotone": {"zone": "increasing"}}, "monotone in 'zone', which is no number, amount or flag"),
        ({"monotone": {"age": "up"}}, "neither increasing nor decreasing"),
        ({"prior_rule": PriorRule("zone", "lowest", "x")}, "prior rule orders people by 'zone'"),
    ],
)
def test_declarations_that_cannot_be_kept_are_faults(
    bus_service: Service, change: dict[str, object], fault: str
) -> None:
    with pytest.raises(AssertionError, match=fault):
        testing.check_service(replace(bus_service, **change))  # type: ignore[arg-type]


def test_people_are_probed_by_their_own_hash_whoever_else_is_there(rows: pd.DataFrame) -> None:
    few = probing.sample(YOUTH, rows, n=50, seed=1)
    assert len(few) == 50
    who = set(rows["person_id"].iloc[few])
    fewer = rows[rows["person_id"].isin(who) | (rows.index % 2 == 0)].reset_index(drop=True)
    assert set(fewer["person_id"].iloc[probing.sample(YOUTH, fewer, n=50, seed=1)]) == who


def test_refits_explain_the_same_people_and_taking_reasons_away_is_asked_of_the_model(
    health: pd.DataFrame,
) -> None:
    crossed = training.cross_fit(HEALTH, "need", health, seed=1)
    some = health.head(60)
    assert probing.refit_contributions(HEALTH, crossed.refits, some).shape == (5, 60, len(HEALTH.features))
    model = crossed.refits[0]
    why = reasons.explain(model, HEALTH, some)
    taken = probing.taken_away(model, HEALTH, some, why.contributions, health, seed=1)
    assert np.allclose(taken.before, why.contributions.sum(axis=1) + why.expected)
    place = int(why.contributions[4].argmax())
    name = HEALTH.features[place]
    alone = some.iloc[[4]].assign(**{name: health[name].median()})
    assert taken.strongest[0, 4] == pytest.approx(reasons.output(model, HEALTH, alone)[0])
    assert (taken.before - taken.strongest[2]).mean() > (taken.before - taken.random[:, 2]).mean()
