"""People whom nobody named: found on one half, tested on the other; and groups that show through features."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from audits import feature_bins, proxies, runner, subgroup_texts, subgroups
from audits.check import Explanation
from audits.finding import Outcome, Role
from audits.html import page
from audits.proxies import ProxiesCheck
from audits.subgroups import SubgroupsCheck

BOTH = (SubgroupsCheck(), ProxiesCheck())
BENCHMARK = Path(__file__).parents[2] / "benchmarks/audits_subgroups.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("audits_subgroups", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planted(n=5000, seed=2, more=0.25):
    """Wrong about 10 % of people, and oftener where the area is 'north' and income under 20,000."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"area": rng.choice(["north", "south", "west"], n), "income": np.exp(rng.normal(10, 0.5, n)), "age": rng.integers(18, 80, n).astype(float)})  # fmt: skip
    cell = ((frame["area"] == "north") & (frame["income"] < 20_000)).to_numpy()
    need = (rng.random(n) < 0.3).astype(int)
    wrong = rng.random(n) < 0.10 + more * cell
    return frame, cell, need, np.where(wrong, 1 - need, need)


def explained(frame, labels=("home district", "income", "age")):
    numbers = np.column_stack(
        [(frame["area"] == "north").to_numpy(float), np.log(frame["income"]), frame["age"] / 50]
    )
    parts = numbers * np.array([0.4, -0.3, 0.1])
    return Explanation(tuple(frame.columns), parts, 0.5, parts.sum(axis=1) + 0.5, labels=labels)


def audited(frame, need, selected, sensitive, checks=BOTH, **more):
    return runner.audit(need, selected, sensitive_features=sensitive, features=frame, checks=checks, **more)


def test_a_planted_cell_is_told_in_the_service_s_words_with_its_size_error_and_interval():
    frame, _, need, selected = planted()
    report = audited(frame, need, selected, {"sex": np.tile(["f", "m"], 2500)}, explain=explained(frame))
    found = report.finding("subgroups.cell_1")
    assert (found.outcome, found.role) == (Outcome.NOT_ENOUGH_EVIDENCE, Role.SCREENS)
    assert "home district: north" in found.message
    assert "income: under " in found.message
    assert found.low <= found.estimate <= found.high
    assert found.low > 0
    assert found.n >= 20
    assert report.subgroups.found[0].says in page(report)
    assert report.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_a_cell_s_limits_are_round_and_nobody_s_value():
    frame, _, need, selected = planted()
    report = audited(frame, need, selected, {"sex": np.tile(["f", "m"], 2500)})
    values = {f"{v:g}" for v in frame["income"]} | {str(v) for v in frame["income"]}
    told = " ".join(s.says for s in report.subgroups.found)
    assert "income" in told
    assert not [w for w in told.replace(";", " ").split() if w in values]
    limits = next(b.edges for b in feature_bins.binned(frame, {}) if b.name == "income")
    assert all(e % 1000 == 0 for e in limits)


def test_where_errors_are_alike_nothing_is_found_and_that_is_no_proof():
    frame, _, need, selected = planted(more=0.0)
    report = audited(frame, need, selected, {"sex": np.tile(["f", "m"], 2500)})
    none = report.finding("subgroups.none")
    assert none.role is Role.DESCRIBED
    assert "can have gone unseen" in none.message
    assert none.message in page(report)


def test_families_are_whole_in_one_half():
    family = np.repeat(np.arange(300), 3)
    half = subgroups.halves(900, family, 7)
    assert {len(set(half[family == f])) for f in range(300)} == {1}
    assert half.sum() == 450
    assert (half != subgroups.halves(900, family, 8)).any()


def test_no_cell_is_told_with_under_20_people_or_from_few_families():
    frame, _, need, selected = planted(240)
    wrong = need != selected
    bins = feature_bins.binned(frame, {})
    facts = subgroups.search(np.ones(240, dtype=bool) & wrong, bins, None, 1)
    assert all(s.n >= 20 and s.rest >= 20 for s in facts.found)
    assert subgroups.search(wrong, bins, np.arange(240) % 20, 1) is None
    assert audited(frame[:150], need[:150], selected[:150], {"sex": np.tile(["f", "m"], 75)}, checks=(SubgroupsCheck(),)).subgroups is None  # fmt: skip


def test_planted_cells_are_found_and_chance_is_not(benchmark):
    found = [benchmark.trial(2000, s, planted=False)[1] for s in range(6)]
    assert sum(found) <= 2


@pytest.mark.slow
def test_at_5000_people_a_cell_of_a_tenth_is_found_in_four_of_five_and_chance_in_one_of_twenty(benchmark):
    """80 trials each; the bounds leave three standard errors to .80 and .05."""
    found = np.mean([benchmark.trial(5000, s, planted=True)[0] for s in range(80)])
    null = np.mean([benchmark.trial(5000, s, planted=False)[1] for s in range(80)])
    assert found >= 0.80 - 3 * np.sqrt(0.8 * 0.2 / 80)
    assert null <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)


def test_features_that_tell_a_group_are_said_and_features_that_do_not_are_chance():
    rng = np.random.default_rng(4)
    n = 3000
    sex = rng.integers(0, 2, n)
    frame = pd.DataFrame({"height": rng.normal(165 + 12 * sex, 8), "luck": rng.normal(size=n)})
    need = rng.integers(0, 2, n)
    both = {"sex": np.array(["f", "m"])[sex], "coin": rng.choice(["heads", "tails"], n)}
    report = audited(frame, need, need, both, checks=(ProxiesCheck(),))
    told = {p.attribute: p for p in report.proxies.areas}
    assert told["sex"].auc == pytest.approx(roc_auc_score(sex, frame["height"]), abs=0.02)
    assert told["sex"].low < told["sex"].auc < told["sex"].high
    assert told["coin"].low < 0.5 < told["coin"].high
    assert all(f.role is Role.DESCRIBED for f in report.findings)
    assert "50% is chance" in report.finding("proxies.auc:sex=f").message


def test_a_group_in_the_middle_is_told_too_and_few_people_are_too_few():
    rng = np.random.default_rng(5)
    age = rng.uniform(18, 80, 2000)
    group = np.select([age < 35, age < 55], ["young", "middle"], "old").astype(object)
    rare = np.where(np.arange(2000) < 12, "few", "many")
    report = audited(pd.DataFrame({"age": age, "x": rng.normal(size=2000)}), *rng.integers(0, 2, (2, 2000)), {"age": group, "rare": rare}, checks=(ProxiesCheck(),))  # fmt: skip
    told = {(p.attribute, p.group): p for p in report.proxies.areas}
    assert told["age", "middle"].auc > 0.95
    assert told["rare", "few"].auc is None


def test_mean_attributions_by_group_sum_to_the_difference_in_score():
    frame, cell, need, selected = planted()
    e = explained(frame)
    sensitive = {"cell": np.where(cell, "in", "out"), "third": np.array(["a", "b", "c"])[np.arange(5000) % 3]}
    report = audited(frame, need, selected, sensitive, explain=e)
    gaps = {(g.attribute, g.group): g for g in report.proxies.gaps}
    assert set(gaps) == {("cell", "in"), ("third", "a"), ("third", "b"), ("third", "c")}
    for (attribute, group), g in gaps.items():
        members = np.asarray(sensitive[attribute]) == group
        assert g.score == pytest.approx(e.output[members].mean() - e.output[~members].mean(), abs=1e-9)
        assert abs(sum(v for _, v in g.features) - g.score) < 1e-6
    assert report.finding("proxies.attribution_sum").outcome is Outcome.PASSED
    assert "home district" in report.finding("proxies.attribution:cell=in").message
    assert "not a cause" in report.finding("proxies.attribution:cell=in").message


def test_contributions_that_do_not_add_up_fail_by_group_as_well():
    frame, cell, need, selected = planted(1000)
    e = explained(frame)
    off = Explanation(e.features, e.contributions, e.expected, e.output + 0.001 * cell, labels=e.labels)
    report = audited(frame, need, selected, {"cell": np.where(cell, "in", "out")}, explain=off)
    assert report.finding("proxies.attribution_sum").outcome is Outcome.FAILED


def test_contributions_of_other_people_are_not_taken_apart():
    frame, cell, *_ = planted(1000)
    groups = [("cell", "in", cell)]
    assert proxies.attributed(explained(frame[:900]), groups) == ()


def test_the_sections_words_are_there_in_three_languages():
    assert set(subgroup_texts.EN) == set(subgroup_texts.FI) == set(subgroup_texts.SV)
    assert set(subgroup_texts.PROXIES_EN) == set(subgroup_texts.PROXIES_FI) == set(subgroup_texts.PROXIES_SV)
