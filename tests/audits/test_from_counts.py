"""An audit from counts is the audit of the people counted; what was withheld or rounded is everything it can be."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits import completions, count_table, html, intervals, report, runner, wording
from audits.completions import Span
from audits.errors import AuditsInputError
from audits.finding import Direction, Leaning, Outcome, Role, Scale
from audits.from_counts import audit_counts
from audits.lines import METRICS, Line, region

COUNTED = [name for name, metric in METRICS.items() if metric.rate and name != "other_need_tpr_gap"]


def lines(direction=Direction.WITHIN, role=Role.DECIDES, names=COUNTED, **more):
    limit = {Scale.DIFFERENCE: 0.10, Scale.RATIO: 0.80}
    return [Line(m, "group", None, direction, limit[METRICS[m].scale], role, "", "", **more) for m in names]


def people(table):
    y, p, g = [], [], []
    for name, c in table.items():
        y += [1] * (c["tp"] + c["fn"]) + [0] * (c["fp"] + c["tn"])
        p += [1] * c["tp"] + [0] * c["fn"] + [1] * c["fp"] + [0] * c["tn"]
        g += [name] * sum(c.values())
    return np.array(y), np.array(p), np.array(g, dtype=object)


CELL = st.integers(0, 60)
GROUP = st.fixed_dictionaries({"tp": CELL, "fp": CELL, "fn": CELL, "tn": CELL})


@settings(max_examples=12, deadline=None)
@given(
    st.fixed_dictionaries({"a": GROUP, "b": GROUP, "unknown": GROUP}).filter(
        lambda t: all(sum(c.values()) for c in t.values())
    )
)
def test_exact_counts_give_the_findings_of_the_people_counted(table):
    drawn = lines()
    y, p, g = people(table)
    of_people = runner.audit(y, p, sensitive_features={"group": g}, lines=drawn)
    of_counts = audit_counts(table, lines=drawn)
    assert of_counts.findings == tuple(f for f in of_people.findings if f.check != "bootstrap")
    assert of_counts.groups == of_people.groups
    assert of_counts.verdict == of_people.verdict
    assert of_counts.population == of_people.population
    assert of_counts.rule.chance == pytest.approx(of_people.rule.chance, abs=0.05)


def test_default_lines_and_the_condition_on_need_are_the_same_too(make_rows, cells):
    given_cells = {"a": cells(60, 40, 20, 900), "b": cells(20, 30, 10, 1500), "c": cells(100, 60, 40, 800)}
    y, p, g = make_rows(given_cells)
    table = {k: vars(c) for k, c in given_cells.items()}
    of_people = runner.audit(y, p, sensitive_features={"group": g}).findings
    assert audit_counts(table).findings == tuple(f for f in of_people if f.check != "bootstrap")


NARROW = st.builds(lambda low, more: Span(low, low + more), st.integers(0, 25), st.integers(0, 2))
WIDE_GROUP = st.fixed_dictionaries(dict.fromkeys(completions.CELLS, NARROW))


def every_filling(row):
    spans = [range(row[c].low, row[c].high + 1) for c in completions.CELLS]
    return [dict(zip(completions.CELLS, v, strict=True)) for v in itertools.product(*spans)]


@settings(max_examples=30, deadline=None)
@given(WIDE_GROUP, WIDE_GROUP, st.sampled_from([n for n in COUNTED if n != "accuracy_gap"]))
def test_the_union_holds_the_interval_of_every_whole_table(a, b, metric):
    text = {g: {c: f"{s.low}-{s.high}" for c, s in row.items()} for g, row in (("a", a), ("b", b))}
    (line,) = lines(names=[metric])
    if all(s.middle == 0 for row in (a, b) for s in row.values()):
        return  # the middle table counts nobody
    found = audit_counts(text, lines=[line]).findings[0]
    hits, misses, _ = completions.PARTS[METRICS[metric].rate]

    def pairs(row):
        full = [completions.tighten({c: Span(v, v) for c, v in f.items()}) for f in every_filling(row)]
        return sorted({(f[hits].low, f[misses].low) for f in full})

    x = np.array([(h, h + m, k, k + n) for h, m in pairs(a) for k, n in pairs(b)], dtype=float)
    if not (x[:, 1].all() and x[:, 3].all()):
        assert found.too_few
        return
    ratio = found.scale is Scale.RATIO
    inner = (intervals.miettinen_nurminen_ratio if ratio else intervals.miettinen_nurminen_difference)(
        *x.T, 0.90
    )
    outer = (intervals.newcombe_ratio if ratio else intervals.newcombe_difference)(*x.T, found.adjusted_level)
    for mine, theirs, side in (
        (found.low, inner.low.min(), -1),
        (found.high, inner.high.max(), 1),
        (found.adjusted_low, outer.low.min(), -1),
        (found.adjusted_high, outer.high.max(), 1),
    ):
        if mine is not None:
            assert side * (mine - theirs) >= -1e-6 * max(1.0, abs(theirs))
            # And no wider than that: every end is some table's own.
            assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-6)
        else:
            assert not np.isfinite(theirs)


def test_every_table_that_fits_shares_the_outcome():
    table = {
        "a": {"tp": "40-44", "fn": 20, "fp": "<5", "tn": 300},
        "b": {"tp": 60, "fn": 30, "fp": 6, "tn": 500},
    }
    drawn = lines(Direction.AT_LEAST, names=["tpr_gap"], ratio_limit=0.8)
    wide = audit_counts(table, lines=[replace(line, limit=-0.25) for line in drawn]).findings[0]
    outcomes = {
        audit_counts(
            {**table, "a": {**table["a"], "tp": tp, "fp": 0}},
            lines=[replace(line, limit=-0.25) for line in drawn],
        )
        .findings[0]
        .outcome
        for tp in range(40, 45)
    }
    assert {wide.outcome} == outcomes == {Outcome.PASSED}
    assert wide.ranges.group_hits == (40, 44)


def test_a_withheld_count_is_never_zero():
    table = {"a": {"n": 500, "selected": "<5"}, "b": {"n": 500, "selected": 40}}
    found = audit_counts(table, lines=lines(names=["selection_ratio"])).findings[0]
    at_zero = audit_counts(
        {**table, "a": {"n": 500, "selected": 0}}, lines=lines(names=["selection_ratio"])
    ).findings[0]
    assert found.ranges.group_hits == (0, 4)
    assert found.counts.group_hits == 2
    assert found.high > at_zero.high
    assert "0 to 4" in found.message


def test_counts_that_tell_nothing_are_said_to_tell_nothing():
    table = {"a": {"n": 4, "selected": "<5"}, "b": {"n": 4, "selected": "<5"}}
    found = audit_counts(table, lines=lines(names=["selection_ratio"])).findings[0]
    assert wording.plain(found).endswith("rounded: nothing can be said of how they compare.")


def test_sums_narrow_what_was_withheld():
    row = completions.tighten(
        {"tp": Span(0, 4), "fp": Span(10, 10), "selected": Span(13, 13), "n": Span(50, 50), "fn": Span(0, 4)}
    )
    assert row["tp"] == Span(3, 3)
    assert row["tn"] == Span(33, 37)


@settings(max_examples=60, deadline=None)
@given(WIDE_GROUP, st.data())
def test_narrowing_leaves_out_no_whole_table_and_fills_only_with_whole_tables(cells_of, data):
    free = every_filling(cells_of)
    true = data.draw(st.sampled_from(free))
    exact = completions.tighten({c: Span(v, v) for c, v in true.items()})
    sums = data.draw(st.sets(st.sampled_from(["selected", "in_need", "n"])))
    row = completions.tighten({**cells_of, **{name: exact[name] for name in sums}})
    fits = [
        f for f in free
        if all(completions.tighten({c: Span(v, v) for c, v in f.items()})[name] == exact[name] for name in sums)
    ]  # fmt: skip
    for cell in completions.CELLS:
        assert (row[cell].low, row[cell].high) == (min(f[cell] for f in fits), max(f[cell] for f in fits))
    assert {c: completions.fill(row)[c] for c in completions.CELLS} in fits


def test_where_the_scale_itself_is_in_doubt_nothing_is_decided():
    table = {"a": {"n": 1000, "selected": "150-260"}, "b": {"n": 1000, "selected": "900"}}
    found = audit_counts(table, lines=lines(names=["selection_gap"])).findings[0]
    assert (found.outcome, found.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, None)
    assert "on which scale" in found.message


def test_leaning_for_takes_every_table():
    both = {"a": {"n": 60, "selected": "24-34"}, "b": {"n": 60, "selected": 30}}
    some = {"a": {"n": 60, "selected": "18-34"}, "b": {"n": 60, "selected": 30}}
    found = [audit_counts(t, lines=lines(names=["selection_gap"])).findings[0] for t in (both, some)]
    assert [f.leaning for f in found] == [Leaning.FOR, Leaning.AGAINST]
    low, high = region(Direction.WITHIN, 0.10, Scale.DIFFERENCE)
    assert low <= found[0].ranges.estimate[0] <= found[0].ranges.estimate[1] <= high


def test_a_table_without_outcomes_says_so_and_judges_no_need():
    found = audit_counts(
        {"a": {"n": 500, "selected": 60}, "b": {"n": 500, "selected": 80}},
        lines=lines(names=["tpr_gap", "selection_gap"]),
    )
    assert found.findings[0].outcome is Outcome.COULD_NOT_RUN
    assert found.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert found.population.in_need is None
    assert found.population.selected == 140
    assert any("missed need is not known" in u for u in found.unknowns)
    page = html.page(found)
    assert "of those in need found" not in page
    assert "people audited" in page


def test_whether_need_is_lower_must_be_known_before_a_group_fails_by_being_selected_less():
    drawn = lines(Direction.AT_LEAST, names=["selection_ratio"], unless_need_is_lower=True)
    found = audit_counts({"a": {"n": 5000, "selected": 100}, "b": {"n": 5000, "selected": 900}}, lines=drawn)
    first = next(f for f in found.findings if f.group == "a")
    assert (first.outcome, first.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    assert "whether need is lower" in first.message
    rounded = audit_counts(
        {"a": {"n": 5000, "selected": 100}, "b": {"n": 5000, "selected": 900}}, lines=drawn, rounded_to=10
    )
    wide = next(f for f in rounded.findings if f.group == "a")
    assert (wide.outcome, wide.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)
    assert "whether need is lower" in wide.message
    assert wide.ranges.group_hits == (95, 105)
    assert wide.low < first.low < first.high < wide.high


def test_rows_of_unknown_group_over_five_percent_cannot_pass():
    table = {
        "a": {"n": 5000, "selected": 2500},
        "b": {"n": 5000, "selected": 2500},
        "unknown": {"n": "<600", "selected": "<5"},
    }
    found = audit_counts(table, lines=lines(names=["selection_gap"])).findings
    assert [(f.outcome, f.leaning) for f in found if f.line] == [(Outcome.NOT_ENOUGH_EVIDENCE, Leaning.FOR)]


def test_the_report_is_a_report_like_any_other(tmp_path):
    found = audit_counts(
        {
            "a": {"tp": 300, "fn": 200, "fp": "<5", "tn": 1500},
            "b": {"tp": 310, "fn": 190, "fp": 10, "tn": 1490},
        }
    )
    assert report.from_json(found.to_json()) == found
    page = html.page(found)
    assert "0 to 4" in page
    assert found.digest in page
    assert (
        audit_counts(
            {
                "a": {"tp": 300, "fn": 200, "fp": "<5", "tn": 1500},
                "b": {"tp": 310, "fn": 190, "fp": 10, "tn": 1490},
            }
        ).digest
        == found.digest
    )


def test_csv_json_frames_and_rows_are_read_alike(tmp_path):
    rows = [
        {"attribute": "sex", "group": "woman", "tp": 30, "fn": "<5", "fp": 5, "tn": 100},
        {"attribute": "sex", "group": "man", "tp": 60, "fn": 40, "fp": 5, "tn": 100},
    ]
    csv_file, json_file = tmp_path / "t.csv", tmp_path / "t.json"
    csv_file.write_text(
        "attribute,Group,True_Positives,FN,fp,tn\nsex,woman,30,<5,5,100\nsex,man,60,40,5,100\n"
    )
    json_file.write_text(json.dumps({"rounded_to": 10, "groups": rows}))
    assert count_table.read(csv_file) == count_table.table(rows) == count_table.table(pd.DataFrame(rows))
    assert (
        count_table.read(json_file)
        == count_table.table(rows, rounded_to=10)
        == count_table.read(csv_file, 10)
    )
    assert count_table.read(json_file, 1) == count_table.table(rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        ([{"group": "a", "tp": 1, "colour": 3}], "row 1 of the table of counts: no column of counts is called 'colour'"),
        ([{"group": "a", "tp": "about 7"}], "row 1 of the table of counts: a cell is not a count"),
        ([{"group": "a", "tp": -3}], "a cell is not a count"),
        ([{"group": "a", "tp": 2.5}], "a cell is not a count"),
        ([{"group": "a", "tp": True}], "a cell is not a count"),
        ([{"group": "a", "tp": "9" * 30}], "a cell is not a count"),
        ([{"tp": 3}], "it names no group"),
        ([{"group": "a"}], "it holds no counts"),
        ([{"group": "a", "tp": 1}, {"group": "a", "tp": 2}], "row 2 of the table of counts: its group was already there"),
        ([{"group": "a", "n": 10, "selected": 11}], "contradict each other"),
        ([{"group": "a", "tp": 4, "fp": 3, "selected": 9}], "contradict each other"),
        ([{"group": "a", "tp": 4, "TP": 3}], "tp is given twice"),
        (["a"], "not a list of rows"),
    ],
)  # fmt: skip
def test_anything_but_a_table_of_counts_is_refused(rows, message):
    with pytest.raises(AuditsInputError) as caught:
        count_table.table(rows)
    assert message in caught.value.message
    assert "about 7" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""), ("t.csv", b"group,tp\na\n"), ("t.csv", b"group,group\na,b\n"), ("t.csv", b'group,tp\n"a,1\n'),
        ("t.csv", b"\xff\xfe"), ("t.json", b"{"), ("t.json", b"[1]"), ("t.json", b'{"groups": []}'), ("t.json", b"[" * 90_000),
        ("t.json", b'{"groups": [{"group": "a", "tp": 1}], "rounded_to": "ten"}'), ("t.json", b'{"rows": []}'), ("none.csv", None),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_named_and_not_repeated(name, content, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AuditsInputError):
        count_table.read(path)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("805", 805, 805), ("<5", 0, 4), ("< 10", 0, 9), ("<=4", 0, 4), ("≤4", 0, 4), ("3-7", 3, 7), ("3 \u2013 7", 3, 7), ("120±5", 115, 125), ("2+-5", 0, 7)],
)  # fmt: skip
def test_a_cell_is_read_as_what_it_can_be(text, low, high):
    assert completions.span(text) == Span(low, high)


@pytest.mark.parametrize("text", ["<0", "7-3", "*", "", "1,000", "1e3", "-1", "5%"])
def test_a_cell_that_is_no_count_is_refused(text):
    with pytest.raises(AuditsInputError, match="not a count"):
        completions.span(text)


def test_a_count_rounded_to_tens_can_be_five_more_or_less():
    assert completions.span("120", 10) == Span(115, 125)
    assert completions.span("0", 10) == Span(0, 5)
    assert completions.span("<5", 10) == Span(0, 4)
