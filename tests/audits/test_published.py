"""The page for the public: no small count is on it, and none comes back by subtraction."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import linprog

import cli
from audits import published, runner, suppression
from audits.completions import COUNTS
from audits.errors import AuditsInputError
from audits.fairness import FairnessCheck
from audits.from_counts import audit_counts
from audits.sections import GroupRow
from audits.suppression import EVERYBODY, SHOWN, Key

K = 10
CELLS = ("tp", "fp", "fn", "tn")
PARTS = {"tp": "tp", "fp": "fp", "fn": "fn", "tn": "tn", "selected": "tp fp", "unselected": "fn tn", "in_need": "tp fn", "not_in_need": "fp tn", "n": "tp fp fn tn"}  # fmt: skip


def table(seed, n=400, sizes=(2, 3, 4)):
    """People nobody is, in groups of uneven sizes."""
    rng = np.random.default_rng(seed)
    cell, rows = rng.choice(4, n, p=[0.12, 0.1, 0.08, 0.7]), []
    for a, size in enumerate(sizes):
        group = rng.choice(size, n, p=rng.dirichlet(np.full(size, 0.8)))
        for g in range(size):
            tp, fp, fn, tn = (int(((group == g) & (cell == c)).sum()) for c in range(4))
            rows.append(GroupRow(f"a{a}", f"g{g}", tp + fp + fn + tn, tp, fn, fp, tn, {}))
    return rows


def value(rows, key):
    """The true count: every attribute adds up to everybody."""
    first = rows[0].attribute
    mine = [
        r
        for r in rows
        if (r.attribute, r.group) == key[:2] or (key[:2] == EVERYBODY and r.attribute == first)
    ]
    full = {"tp": "true_positives", "fp": "false_positives", "fn": "false_negatives", "tn": "true_negatives"}
    return sum(getattr(r, full[c]) for r in mine for c in PARTS[key.name].split())


def equations(rows, shown):
    """What a reader knows, written independently of the module: one row per published number, one per equal total."""
    index = {(r.attribute, r.group, c): i for i, (r, c) in enumerate(itertools.product(rows, CELLS))}
    attributes = list(dict.fromkeys(r.attribute for r in rows))

    def vector(key):
        out = np.zeros(len(index))
        for (attribute, group, c), place in index.items():
            everybody = key[:2] == EVERYBODY and attribute == attributes[0]
            if c in PARTS[key.name].split() and (everybody or (attribute, group) == key[:2]):
                out[place] = 1
        return out

    left, right = [], []
    for key, number in shown.items():
        if number is not None:
            left.append(vector(key))
            right.append(number)
    for attribute, c in itertools.product(attributes[1:], CELLS):
        difference = np.zeros(len(index))
        for (a, _, d), place in index.items():
            if d == c:
                difference[place] += (a == attributes[0]) - (a == attribute)
        left.append(difference)
        right.append(0)
    return np.array(left), np.array(right, dtype=float), vector


def small_keys(rows):
    names = [EVERYBODY, *((r.attribute, r.group) for r in rows)]
    return [k for who in names for c in COUNTS if value(rows, k := Key(*who, c)) < K]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(s, marks=pytest.mark.slow) for s in range(2, 12))])
def test_no_small_count_follows_from_what_is_published(seed):
    rows = table(seed)
    shown = suppression.published(rows, K)
    left, right, vector = equations(rows, shown)
    assert small_keys(rows)
    for key in small_keys(rows):
        assert shown.get(key) is None
        aim = vector(key)
        # By subtraction: the count would be a combination of the published equations.
        weights = np.linalg.lstsq(left.T, aim, rcond=None)[0]
        assert np.abs(left.T @ weights - aim).max() > 1e-6, key
        # By bounds as well: people are not negative.
        least, most = (
            sign * linprog(sign * aim, A_eq=left, b_eq=right, bounds=(0, 10_000)).fun for sign in (1, -1)
        )
        assert most - least >= K - 1 - 1e-6, key


def test_withholding_only_what_is_small_would_have_told_it():
    rows = table(3)
    shown = {k: None if value(rows, k) < K else value(rows, k) for k in suppression.published(rows, K)}
    left, _, vector = equations(rows, shown)
    told = [
        key
        for key in small_keys(rows)
        if np.abs(left.T @ np.linalg.lstsq(left.T, vector(key), rcond=None)[0] - vector(key)).max() < 1e-6
    ]
    assert told, "the test's tables are too easy to protect anything"


def test_what_is_shown_is_true_and_not_more_than_needed_is_withheld():
    rows = table(1, n=20_000)
    shown = suppression.published(rows, K)
    assert all(number is None or number == value(rows, key) for key, number in shown.items())
    assert [k for k, v in shown.items() if v is None] == [] or small_keys(rows)
    large = [GroupRow("sex", g, 400, 100, 100, 100, 100, {}) for g in ("f", "m")]
    assert None not in suppression.published(large, K).values()
    assert {key.name for key in shown} == set(SHOWN)


def test_where_everybody_is_few_everything_is_withheld():
    rows = [GroupRow("a", g, 8, 2, 2, 2, 2, {}) for g in ("x", "y")]
    assert set(suppression.published(rows, 100).values()) == {None}


def test_one_small_group_takes_another_with_it():
    rows = [GroupRow("sex", "f", 500, 100, 50, 50, 300, {}), GroupRow("sex", "m", 500, 100, 50, 50, 300, {}), GroupRow("sex", "x", 8, 2, 2, 2, 2, {})]  # fmt: skip
    shown = suppression.published(rows, K)
    for name in ("n", "in_need", "tp"):
        withheld = [g for g in ("f", "m", "x") if shown[Key("sex", g, name)] is None]
        assert "x" in withheld
        assert len(withheld) > 1


@pytest.mark.parametrize(
    ("rows", "k", "says"),
    [
        (table(1), 1, "at least 2"),
        ([], K, "no groups"),
        (
            [GroupRow("a", "x", 50, 10, 10, 10, 20, {}), GroupRow("b", "x", 51, 11, 10, 10, 20, {})],
            K,
            "add up",
        ),
        ([GroupRow("a", "x", 50, None, None, None, None, {})], K, "withheld or rounded already"),
    ],
)
def test_what_cannot_be_published_says_so(rows, k, says):
    with pytest.raises(AuditsInputError, match=says):
        suppression.published(rows, k)


@pytest.fixture
def report(make_rows, cells):
    y, p, g = make_rows(
        {"a": cells(300, 203, 61, 1501), "b": cells(290, 210, 50, 1500), "c": cells(3, 7, 4, 97)}
    )
    return runner.audit(y, p, sensitive_features={"origin": g}, checks=(FairnessCheck(),))


def numbers(page):
    return set(re.findall(r"<td class=\"n\">([\d,]+)</td>", page))


def test_the_page_shows_no_small_count_and_no_rate_from_one(report):
    page = published.page(report)
    assert {int(n.replace(",", "")) for n in numbers(page)}
    assert min(int(n.replace(",", "")) for n in numbers(page)) >= K
    view = published.view(report)
    small = next(line for line in view.lines if line.title == "Missed need: c (origin)")
    assert (small.rate, small.outcome) == ("withheld", "Not enough evidence")
    assert not re.search(r"too few to judge|under 20|fewer than 20|3 of 10", page.lower())
    assert "Withheld does not mean small" in page


def test_the_page_is_one_file_that_asks_for_nothing(report):
    page = published.page(report)
    assert not re.search(r"<script|https?://|src=|@import|url\(", page)
    assert report.digest in page


def test_a_report_from_a_published_table_is_not_protected_twice():
    given = audit_counts({"a": {"tp": "<5", "fn": 200, "fp": 60, "tn": 1500}, "b": {"tp": 90, "fn": 200, "fp": 60, "tn": 1500}})  # fmt: skip
    with pytest.raises(AuditsInputError, match="withheld or rounded already"):
        published.page(given)


def test_the_command_writes_it(report, tmp_path):
    facts, out = tmp_path / "facts.json", tmp_path / "public.html"
    facts.write_bytes(report.to_json())
    done = CliRunner().invoke(cli.luvalla, ["audits", "report", str(facts), "--published", "--at-least", "5", "--out", str(out), "--json"])  # fmt: skip
    assert done.exit_code == 0
    assert json.loads(done.stdout)["page"] == str(out)
    assert "Counts under 5 are withheld" in out.read_text(encoding="utf-8")
    wrong = CliRunner().invoke(
        cli.luvalla, ["audits", "report", str(facts), "--published", "--at-least", "1"]
    )
    assert wrong.exit_code == 2
