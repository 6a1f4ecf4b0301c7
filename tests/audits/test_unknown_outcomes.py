"""People whose outcome is unknown: selection counts them, and every other line must hold whatever theirs was."""

from __future__ import annotations

import numpy as np
import pytest

from audits import html, runner
from audits import report as reports
from audits.check import Baseline
from audits.errors import AuditsInputError
from audits.finding import Direction, Leaning, Outcome, Role
from audits.lines import Line

TPR = Line("tpr_gap", "g", "a", Direction.AT_LEAST, -0.10, Role.DECIDES, "test", "missed need")
FPR = Line("fpr_gap", "g", "a", Direction.WITHIN, 0.10, Role.DESCRIBED, "test", "false alarms")
SELECTED = Line("selection_gap", "g", "a", Direction.WITHIN, 0.10, Role.SCREENS, "test", "selection")
LEVEL = Line("levelling_down", "g", "a", Direction.AT_MOST, 0.05, Role.DECIDES, "test", "levelling down")
EXPECTED = Line(
    "observed_expected", "g", "a", Direction.AT_MOST, 1.25, Role.DECIDES, "test", "under-predicted"
)
SLOPE = Line("calibration_slope", "g", "a", Direction.WITHIN, 0.50, Role.DECIDES, "test", "slope")


def people(found_a: int, found_b: int, unknown: int, selected: int = 0, score: float = 0.5):
    """1,000 in need and 1,000 not of groups a and b; of each of the first `found` are selected; and unknown ones of a."""
    need = np.repeat([1.0, 0.0, 1.0, 0.0], 1000)
    pred = np.concatenate([np.arange(1000) < k for k in (found_a, 100, found_b, 100)]).astype(int)
    group = np.repeat(["a", "b"], 2000)
    y = np.append(need, np.full(unknown, np.nan))
    p = np.append(pred, np.arange(unknown) < selected).astype(int)
    s = np.append(np.where(need == 1, 0.6, 0.4), np.full(unknown, score))
    return y, p, np.append(group, np.full(unknown, "a")), s


def audit(y, p, g, s, *lines: Line, **more):
    return runner.audit(y, p, sensitive_features={"g": g}, y_score=s, lines=lines or (TPR, FPR), **more)


def told(report, line: Line):
    return next(one for one in report.unknown_outcomes.lines if one.line == line.id)


def test_a_line_that_holds_is_decided_on_the_known_rows() -> None:
    """60 % found in both groups; 100 unknown people, of whom 60 are selected: their need changes nothing."""
    found = audit(*people(600, 600, 100, 60))
    line = found.finding(f"fairness.{TPR.id}")
    assert line.outcome is Outcome.PASSED
    assert (line.counts.group_hits, line.counts.group_of) == (600, 1000)
    facts = found.unknown_outcomes
    assert (facts.people, facts.unknown, facts.selected_unknown, facts.selected_known) == (
        4100,
        100,
        60,
        1400,
    )
    assert not any(one.changes for one in facts.lines)
    assert not [f for f in found.findings if f.metric == "unknown_outcomes"]
    assert any("100 of 4,100" in said for said in found.unknowns)


def test_a_verdict_that_turns_on_the_unknown_is_not_enough_evidence_and_named() -> None:
    """Passed on the known; 400 unknown people of a, none selected, half of them in need by the score: then a is missed more."""
    found = audit(*people(600, 600, 400))
    line = found.finding(f"fairness.{TPR.id}")
    assert line.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert line.leaning is Leaning.AGAINST
    assert "unknown" in line.message
    one = told(found, TPR)
    assert one.before is Outcome.PASSED
    assert one.changes
    # By hand: p is .5, so at half, equal and twice the odds 1/3, 1/2 and 2/3 of 400 join those in need, none of them found.
    assert one.known == pytest.approx(0)
    assert [one.half, one.equal, one.twice] == pytest.approx(
        [600 / (1000 + 400 * q) - 0.6 for q in (1 / 3, 1 / 2, 2 / 3)]
    )
    assert [one.low, one.high] == pytest.approx([600 / 1400 - 0.6, 0])
    finding = found.finding(f"fairness.unknown_outcomes:{TPR.id}")
    assert (finding.role, finding.low) == (Role.DESCRIBED, pytest.approx(one.low))
    assert "400" in finding.message
    # Not in need instead, none selected: fewer false alarms.
    alarms = told(found, FPR)
    assert [alarms.low, alarms.high] == pytest.approx([100 / 1400 - 0.1, 0])
    assert found.verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_a_failed_line_that_turns_is_no_failure() -> None:
    """A third missed more among the known of a; 2,000 unknown of a, all selected and likely in need, would undo it."""
    assert audit(*people(450, 600, 0)).finding(f"fairness.{TPR.id}").outcome is Outcome.FAILED
    line = audit(*people(450, 600, 2000, 2000, 0.9)).finding(f"fairness.{TPR.id}")
    assert (line.outcome, line.leaning) == (Outcome.NOT_ENOUGH_EVIDENCE, Leaning.AGAINST)


def test_more_unknown_people_are_no_more_evidence() -> None:
    """Unknown people at the known people's own rates leave estimate and interval as they were."""
    few, none = (audit(*people(600, 550, u, u // 10)).finding(f"fairness.{TPR.id}") for u in (2000, 0))
    assert (few.low, few.high, few.counts) == (none.low, none.high, none.counts)


def test_selection_counts_everybody() -> None:
    y, p, g, s = people(600, 600, 1000, 1000)
    found = audit(y, p, g, s, TPR, SELECTED).finding(f"fairness.{SELECTED.id}")
    assert (found.counts.group_hits, found.counts.group_of, found.n) == (1700, 3000, 3000)
    assert found.estimate == pytest.approx(p[g == "a"].mean() - p[g == "b"].mean())
    assert found.outcome is Outcome.FAILED


def test_without_a_probability_the_two_worst_cases_decide() -> None:
    y, p, g, s = people(600, 600, 400)
    found = audit(y, p, g, 10 * s)
    assert found.finding(f"fairness.{TPR.id}").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    one = told(found, TPR)
    assert (one.half, one.equal, one.twice) == (None, None, None)
    assert not found.unknown_outcomes.by_probability
    assert any("two worst cases" in said for said in found.unknowns)
    held = audit(*(v for v in people(600, 600, 20)[:3]), None)
    assert held.finding(f"fairness.{TPR.id}").outcome is Outcome.PASSED


def test_lines_on_probability_and_on_the_first_version_must_hold_too() -> None:
    y, p, g, s = people(600, 600, 900)
    before = np.where(np.isnan(y), 1, p)  # the first version selected every one of the unknown
    s[:4000] = np.where(
        (np.arange(4000) % 10 < 6) == (y[:4000] == 1), 0.6, 0.4
    )  # else the score separates the two
    found = audit(y, p, g, s, LEVEL, EXPECTED, SLOPE, baseline=Baseline(before, "v1"))
    level = told(found, LEVEL)
    assert level.before is Outcome.PASSED
    assert level.equal == pytest.approx(450 / 1450)
    assert found.finding(f"fairness.{LEVEL.id}").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    due, seen = 0.6 * 1000 + 0.4 * 1000, 1000
    one = told(found, EXPECTED)
    assert one.known == pytest.approx(seen / due)
    assert one.twice == pytest.approx((seen + 900 * 2 / 3) / (due + 450))
    assert [one.low, one.high] == pytest.approx([seen / (due + 450), (seen + 900) / (due + 450)])
    slope = told(found, SLOPE)
    assert slope.equal is not None
    assert slope.low is None


def test_families_small_groups_and_crossed_ones_are_let_in_as_well() -> None:
    y, p, g, s = people(600, 600, 400)
    n = len(y)
    small = np.where(np.arange(n) % 400 == 0, "x", np.where(np.arange(n) % 400 == 1, "y", "z"))
    small[-1] = "only here"
    lines = (TPR, Line("tpr_gap", "h", None, Direction.AT_LEAST, -0.10, Role.DECIDES, "test", "missed need"))
    found = runner.audit(
        [None if np.isnan(v) else int(v) for v in y],
        p,
        sensitive_features={"g": g, "h": small},
        y_score=s,
        lines=lines,
        clusters=np.arange(n) // 2,
    )
    assert found.finding(f"fairness.{TPR.id}").outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert any(f.pooled for f in found.findings)
    assert not [f for f in found.findings if f.outcome is Outcome.COULD_NOT_RUN]
    half = np.where(np.arange(n) % 2 == 0, "u", "v")
    lines = (TPR, Line("tpr_gap", "h", None, Direction.AT_LEAST, -0.10, Role.DECIDES, "test", "missed need"))
    found = runner.audit(y, p, sensitive_features={"g": g, "h": half}, y_score=s, lines=lines)
    [crossed] = [f for f in found.findings if f.crossed and f.group == "a x u"]
    assert crossed.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "unknown, and what the line comes to depends on it" in crossed.message


def test_the_report_and_its_page_show_them() -> None:
    found = audit(*people(600, 600, 400))
    assert reports.from_json(found.to_json()).digest == found.digest
    page = html.page(found)
    assert "People whose outcome is unknown" in page
    assert "no: not enough evidence" in page
    known = audit(*people(600, 600, 0))
    assert known.unknown_outcomes is None
    assert b"unknown_outcomes" not in known.to_json()
    assert "People whose outcome is unknown" not in html.page(known)


def test_nobody_s_outcome_known_is_told() -> None:
    with pytest.raises(AuditsInputError, match="of all 3 people is unknown"):
        runner.audit([None] * 3, [0, 1, 0], sensitive_features=list("aab"))
    with pytest.raises(AuditsInputError, match="y_pred"):
        runner.audit([0, 1, 0], [0, None, 0], sensitive_features=list("aab"))
