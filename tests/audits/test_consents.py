"""Who consented, by group: on counts only, with what the others could change."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from audits import runner
from audits.consent_bias import ConsentsCheck
from audits.consent_bounds import worst_case
from audits.consent_facts import ConsentCount, ConsentCounts
from audits.fairness import FairnessCheck
from audits.finding import Direction, Outcome, Role
from audits.html import page
from audits.lines import Line

BASIS = "Act on statistics 1"
TPR = Line("tpr_gap", "group", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "", "")


@pytest.fixture
def people(make_rows, cells):
    """500 in need of 2,060 in `a`, 500 of 2,050 in `b`: found 60 % and 58 %."""
    y, p, g = make_rows({"a": cells(300, 200, 60, 1500), "b": cells(290, 210, 50, 1500)})
    return {"y_true": y, "y_pred": p, "sensitive_features": {"group": g}}


def consents(a=(2060, 0, 0, 0), b=(2050, 0, 0, 0), **changed):
    counts = (ConsentCount("group", "a", *a), ConsentCount("group", "b", *b))
    return replace(ConsentCounts(counts, BASIS), **changed)


def audited(people, given, lines=(TPR,)):
    return runner.audit(**people, lines=lines, consents=given, checks=(FairnessCheck(), ConsentsCheck()))


def test_who_consented_is_told_by_group_and_shown(people):
    report = audited(people, consents(a=(2060, 200, 100, 40), b=(2050, 20, 10, 10)))
    assert report.finding("consents.who").message.startswith(
        "Of 4,490 people counted 4,110 consented (91.5%), 220 refused, 110 withdrew"
    )
    assert "chance does not explain it" in report.finding("consents.groups:group").message
    assert all(f.role is Role.DESCRIBED for f in report.findings if f.check == "consents")
    shown = page(report)
    assert "Who consented, and what the others could change" in shown
    assert BASIS in shown


def test_counts_change_no_verdict(people):
    refused = audited(people, consents(a=(2060, 900, 0, 0)))
    assert refused.verdict == audited(people, None).verdict
    assert refused.consents is not None
    assert audited(people, None).consents is None


def test_simulated_consents_say_so(people):
    told = audited(people, consents(simulated=True))
    assert "These consents are simulated" in told.finding("consents.who").message
    assert "simulated" not in audited(people, consents()).finding("consents.who").message


def test_where_everybody_consented_nothing_is_open(people):
    report = audited(people, consents())
    (line,) = report.consents.lines
    assert line.seen == line.weighted == line.low == line.high == pytest.approx(0.02)
    assert line.verdict == "inside"
    assert (
        "1 of the 1 deciding lines that compare two rates are inside their limit whatever"
        in report.finding("consents.bounds").message
    )


def test_bounds_are_manskis(people):
    (line,) = audited(people, consents(a=(2060, 60, 30, 10), b=(2050, 0, 0, 50))).consents.lines
    # a: 300 to 400 of 600; b: 290 to 340 of 550.
    assert line.low == pytest.approx(300 / 600 - 340 / 550)
    assert line.high == pytest.approx(400 / 600 - 290 / 550)
    assert line.verdict == "open"


def test_a_line_can_be_broken_whatever_the_others_are_like(make_rows, cells):
    y, p, g = make_rows({"a": cells(100, 400, 60, 1500), "b": cells(450, 50, 50, 1500)})
    report = audited(
        {"y_true": y, "y_pred": p, "sensitive_features": {"group": g}},
        ConsentCounts(
            (ConsentCount("group", "a", 2060, 10, 0, 0), ConsentCount("group", "b", 2050, 5, 0, 0)), BASIS
        ),
    )
    assert report.consents.lines[0].verdict == "outside"


@pytest.mark.parametrize(("hits", "of", "missing"), [(3, 5, 4), (0, 3, 2), (4, 4, 3), (0, 0, 2)])
def test_no_completion_is_outside_the_bounds_and_both_ends_occur(hits, of, missing):
    every = [
        (hits + found) / (of + found + other)
        for found, other in itertools.product(range(missing + 1), repeat=2)
        if found + other <= missing and of + found + other
    ]
    assert worst_case(hits, of, missing) == (pytest.approx(min(every)), pytest.approx(max(every)))


def test_weights_give_each_group_its_size(make_rows, cells):
    y, p, g = make_rows(
        {"a": cells(50, 50, 10, 300), "b": cells(80, 20, 10, 300), "c": cells(20, 80, 10, 300)}
    )
    counts = (ConsentCount("group", "a", 410, 0, 0, 0), ConsentCount("group", "b", 410, 0, 0, 0), ConsentCount("group", "c", 410, 820, 0, 0))  # fmt: skip
    report = audited(
        {"y_true": y, "y_pred": p, "sensitive_features": {"group": g}}, ConsentCounts(counts, BASIS)
    )
    (line,) = report.consents.lines
    assert line.seen == pytest.approx(0.5 - 100 / 200)
    assert line.weighted == pytest.approx(0.5 - (80 + 3 * 20) / (100 + 3 * 100))


def test_weights_find_the_population_where_consent_depends_on_the_group_only():
    rng = np.random.default_rng(4)
    group = rng.choice(["a", "b", "c"], 60_000, p=[0.5, 0.3, 0.2])
    need = rng.random(60_000) < 0.3
    rate = {"a": 0.5, "b": 0.8, "c": 0.2}
    chosen = rng.random(60_000) < np.array([rate[g] for g in group])
    yes = rng.random(60_000) < np.array([{"a": 0.9, "b": 0.9, "c": 0.2}[g] for g in group])
    counts = tuple(ConsentCount("group", g, int((yes & (group == g)).sum()), int((~yes & (group == g)).sum()), 0, 0) for g in "abc")  # fmt: skip
    report = audited({"y_true": need[yes], "y_pred": chosen[yes], "sensitive_features": {"group": group[yes]}}, ConsentCounts(counts, BASIS))  # fmt: skip
    true = chosen[need & (group == "a")].mean() - chosen[need & (group != "a")].mean()
    (line,) = report.consents.lines
    assert abs(line.weighted - true) < 0.02 < abs(line.seen - true)


def test_a_group_of_which_nobody_consented_has_no_weight(people):
    given = consents()
    given = replace(given, groups=(*given.groups, ConsentCount("group", "c", 0, 30, 0, 0)))
    report = audited(people, given)
    assert report.consents.lines[0].weighted is None
    assert "nobody consented" in report.finding("consents.weights").message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (consents(basis=" "), "without a legal basis"),
        (consents(a=(2060, -1, 0, 0)), "negative"),
        (consents(a=(2059, 1, 0, 0)), "fewer consents than people audited in a (group)"),
        (consents(groups=()), "not counted once"),
        (consents(groups=(*consents().groups, ConsentCount("sex", "f", 1, 0, 0, 0))), "different numbers"),
    ],
)
def test_counts_that_do_not_fit_could_not_run(people, given, says):
    found = audited(people, given).finding("consents.could_not_run")
    assert found.outcome is Outcome.COULD_NOT_RUN
    assert says in found.message


def test_selection_counts_those_whose_outcome_is_unknown_too(people):
    selection = replace(TPR, metric="selection_gap")
    unknown = np.array([*people["y_true"].astype(float)])
    unknown[::7] = np.nan
    (line,) = audited(people | {"y_true": unknown}, consents(), lines=(selection,)).consents.lines
    group, chosen = people["sensitive_features"]["group"], people["y_pred"]
    assert line.seen == pytest.approx(chosen[group == "a"].mean() - chosen[group == "b"].mean())
