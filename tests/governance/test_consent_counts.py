"""What governance counts of people who did not consent: groups, on a declared basis, and nobody who objected."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from consent.vocabulary import UseStatus
from governance import consent_counts
from models.health_benefit import SERVICE

STATUS = [
    0,
    UseStatus.REFUSED,
    UseStatus.WITHDRAWN,
    UseStatus.REVOKED,
    UseStatus.NO_CONSENT,
    UseStatus.EXPIRED,
    UseStatus.OBJECTED,
    UseStatus.RESTRICTED,
]
PERMITS = SimpleNamespace(status=np.array(STATUS, dtype=np.uint8), permitted=np.array(STATUS) == 0)


class OnlySensitive(pd.DataFrame):
    """A population of which only the declared columns may be read."""

    def __getitem__(self, name):
        assert name in SERVICE.sensitive_features
        return super().__getitem__(name)


def frame():
    return OnlySensitive({name: ["x"] * 7 + [None] for name in SERVICE.sensitive_features} | {"income": 1.0})


def test_everyone_is_counted_once_by_their_answer_and_who_objected_not_at_all():
    counts = consent_counts.count(SERVICE, frame(), PERMITS, simulated=True)
    (sex,) = (c for c in counts.groups if c.attribute == "sex")
    assert (sex.group, sex.given, sex.refused, sex.withdrawn, sex.other) == ("x", 1, 1, 2, 2)
    assert (counts.uncounted, counts.simulated) == (2, True)
    assert {c.attribute for c in counts.groups} == set(SERVICE.sensitive_features)


def test_a_value_that_is_missing_is_a_group_of_its_own():
    permits = SimpleNamespace(status=np.zeros(8, dtype=np.uint8), permitted=np.ones(8, dtype=bool))
    counts = consent_counts.count(SERVICE, frame(), permits, simulated=False)
    assert [(c.group, c.given) for c in counts.groups if c.attribute == "sex"] == [("unknown", 1), ("x", 7)]


def test_without_a_declared_basis_nobody_is_counted():
    undeclared = replace(SERVICE, statistics_basis="")
    assert consent_counts.count(undeclared, frame(), PERMITS, simulated=False) is None
