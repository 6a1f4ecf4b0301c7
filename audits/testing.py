"""``check_check``: what every check must satisfy, for authors of plug-ins to call in a test of their own.

Example:
    >>> from audits.fairness import FairnessCheck
    >>> check_check(FairnessCheck())
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from audits import inputs, plugin_results, report, runner
from audits.check import Baseline, Check, CheckResult
from audits.errors import AuditsError
from audits.finding import Finding, Outcome, Role
from audits.runner import audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audits.check import AuditInput

SECRET = "0101700000"  # noqa: S105  nobody's number
"""Row labels and values of a column that no finding may repeat begin so: they stand for a person's own data."""
_ROWS = 600


def check_check(check: object, *, trials: int = 2) -> None:
    """Checks a check's contract on invented people: several audits, small and degenerate ones among them.

    Args:
        check: The check, as its entry point of the group ``luvalla.checks`` gives it (an instance, or a class without arguments).
        trials: Invented audits of each kind.

    Raises:
        AssertionError: Something does not hold; the message says what, all of it at once.
    """
    made = check() if isinstance(check, type) else check
    if not isinstance(made, Check):
        raise AssertionError(f"{type(made).__name__} is no check: it needs a name and run(given)")  # noqa: TRY004
    faults = list(_name_faults(made))
    for seed in range(trials):
        for label, given in _inputs(seed):
            faults += [f"{label}: {fault}" for fault in _run_faults(made, given)]
    if faults:
        raise AssertionError(f"Check '{made.name}': " + "; ".join(dict.fromkeys(faults)))


def _name_faults(check: Check) -> Iterator[str]:
    if not isinstance(check.name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", check.name):
        yield "the name is not lower-case letters, digits and underscores"
    elif check.name in {c.name for c in runner.CHECKS} and type(check) not in map(type, runner.CHECKS):
        yield f"the name {check.name!r} is taken by a check of luvalla's own"


def _inputs(seed: int) -> Iterator[tuple[str, AuditInput]]:
    """Audits as they come: whole, with nothing but predictions, with few people, with one answer for everybody."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, _ROWS)
    y = (rng.random(_ROWS) < p).astype(int)
    chosen = (p >= np.quantile(p, 0.8)).astype(int)
    sex = np.array(["woman", "man", None], dtype=object)[rng.choice(3, _ROWS, p=[0.5, 0.48, 0.02])]
    features = pd.DataFrame(
        {"reading": rng.normal(size=_ROWS), "number": [f"{SECRET}{i:04d}" for i in range(_ROWS)]},
        index=[f"{SECRET}{i:04d}" for i in range(_ROWS)],
    )
    nothing_more: dict[str, Any] = {
        "y_score": None, "threshold": None, "other_needs": None, "baseline": None, "features": None, "explain": None,
        "data_quality": None, "clusters": None, "lines": None, "seed": seed,
    }  # fmt: skip
    whole: dict[str, Any] = nothing_more | {
        "y_score": p,
        "threshold": 0.3,
        "other_needs": {"asked for help": rng.permutation(y)},
        "baseline": Baseline(rng.permutation(chosen).astype(np.int8)),
        "features": features,
        "clusters": rng.integers(0, 300, _ROWS),
    }
    few = np.arange(8)
    yield "with everything", inputs.check(y, chosen, {"sex": sex}, **whole)
    yield "with predictions alone", inputs.check(y, chosen, {"sex": sex}, **nothing_more)
    yield "with 8 people", inputs.check(y[few], chosen[few], {"sex": sex[few]}, **nothing_more)
    yield (
        "with nobody selected",
        inputs.check(y, np.zeros(_ROWS), {"sex": sex}, **nothing_more | {"y_score": np.full(_ROWS, 0.2)}),
    )
    yield "with one group", inputs.check(y, chosen, {"sex": ["woman"] * _ROWS}, **nothing_more)


def _run_faults(check: Check, given: AuditInput) -> Iterator[str]:
    before = _frozen(given)
    try:
        result = check.run(given)
    except AuditsError:
        return  # it says itself that it cannot answer: could_not_run
    except Exception as error:  # noqa: BLE001  a stranger's check may raise anything; that is what is reported here
        yield f"raised {type(error).__name__}; a check that cannot answer raises an audits.errors.AuditsError that says why"
        return
    if _frozen(given) != before:
        yield "changed what it was given; the checks after it would see that"
    if not isinstance(result, CheckResult):
        yield f"gave back a {type(result).__name__} in place of an audits.check.CheckResult"
        return
    again = check.run(replace(given))
    if repr(again) != repr(result):
        yield "gave another result from the same input: only given.seed may be the source of chance"
    own = type(check) in map(type, runner.CHECKS)
    if not own and (reason := plugin_results.fault(check.name, result)):
        yield reason
        return
    for finding in result.findings:
        yield from _finding_faults(finding)
    if SECRET in repr(result):
        yield "repeats a person's own value or row label"
    yield from _report_faults(check, given)


def _finding_faults(f: Finding) -> Iterator[str]:
    if not f.message.strip():
        yield f"finding {f.code!r} has no message"
    if not f.tool or not f.version:
        yield f"finding {f.code!r} does not say which tool of which version computed it"
    if f.role is Role.DESCRIBED and f.outcome in (Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE):
        yield f"finding {f.code!r} is described and yet judged: it must screen, or be passed or not applicable"
    if f.leaning is not None and f.outcome is not Outcome.NOT_ENOUGH_EVIDENCE:
        yield f"finding {f.code!r} leans although it is not 'not enough evidence'"
    if f.low is not None and f.high is not None and f.low > f.high:
        yield f"finding {f.code!r} has an interval whose ends are the wrong way round"


def _report_faults(check: Check, given: AuditInput) -> Iterator[str]:
    """The result must go through a report and come back the same."""
    made = audit(
        given.y_true,
        given.y_pred,
        sensitive_features={a.name: np.array(a.groups, dtype=object)[a.codes] for a in given.attributes.values()},
        y_score=given.y_score,
        features=given.features,
        checks=[check],
    )  # fmt: skip
    if any(f.outcome is Outcome.COULD_NOT_RUN for f in made.findings):
        yield "could not run in an audit: " + "; ".join(f.message for f in made.findings)
    if report.from_json(made.to_json()).digest != made.digest:
        yield "its findings do not come back from a report as they went in"


def _frozen(given: AuditInput) -> str:
    """A digest of everything that a check may look at."""
    parts = {
        "arrays": [
            a.tobytes().hex()
            for a in (
                given.y_true,
                given.y_pred,
                given.y_score,
                given.clusters,
                *(x.codes for x in given.attributes.values()),
            )
            if a is not None
        ],
        "features": None if given.features is None else copy.deepcopy(given.features).to_json(orient="split"),
    }
    return json.dumps(parts)
