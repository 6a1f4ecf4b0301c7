"""What an audit is given of a version's robustness: steps of measurement, and who each fold's model learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from governance.robust_input import robustness, step
from models import population, scoring, synthetic, training
from models.health_benefit import SERVICE


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ([1, 2, 5, np.nan], 1.0),
        ([1, 2.5, 3], 0.1),
        ([1, 2.25, 3], 0.01),
        ([1.234, 2, 3], 0.001),
        ([1.23456, 2, 3], None),
        ([0, 1, 1, 0], None),
        ([np.nan], None),
    ],
)
def test_the_step_is_the_one_in_which_numbers_are_written(values, size):
    assert step(np.array(values, dtype=float)) == size


def test_the_version_itself_is_asked_and_members_are_those_of_other_folds():
    rows, _ = population.check(synthetic.residents(SERVICE, 900, seed=2), SERVICE, outcome=True)
    rows["xage"] = rows["xage"].round()
    fitted = training.fit(SERVICE, "need", rows, seed=1)
    crossed = training.cross_fit(SERVICE, "need", rows, seed=1, refit=fitted.estimator)
    facts = fitted.facts(SERVICE)
    given = robustness(SERVICE, fitted.estimator, rows, crossed, facts)
    now = scoring.score(fitted.estimator, SERVICE, rows) >= facts.threshold
    assert np.array_equal(given.perturbation.selected, now)
    assert given.perturbation.moved.shape == (2, len(rows))
    assert given.perturbation.steps["xage"] == 1.0
    assert set(given.perturbation.steps) | set(given.perturbation.unmoved) == set(SERVICE.features)
    membership = given.membership
    assert (~membership.member).sum() == len(rows)
    own = membership.y_score[~membership.member][np.argsort(membership.people[~membership.member])]
    assert np.allclose(own, crossed.scores)
