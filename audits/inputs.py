"""From what a caller has to what a check may rely on: aligned, of one type, nothing missing unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from audits import lines as policy_lines
from audits.check import Attribute, AuditInput, Baseline, Simpler
from audits.errors import AuditsInputError
from audits.lines import UNKNOWN
from audits.measures import among
from audits.unknown_facts import UnknownRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from audits.benefit_trial import Trial
    from audits.check import DataQuality, Explanation
    from audits.consent_facts import ConsentCounts
    from audits.lines import Line
    from audits.measures import Measures
    from audits.procedure import CrossFitted, HeldOut
    from audits.robust_facts import Robustness
    from audits.row_facts import Rows


def check(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sensitive_features: Any,
    *,
    y_score: ArrayLike | None,
    threshold: float | None,
    other_needs: Mapping[str, ArrayLike] | None,
    baseline: Baseline | None,
    features: pd.DataFrame | None,
    explain: Explanation | None,
    data_quality: DataQuality | None,
    clusters: ArrayLike | None,
    lines: Sequence[Line] | None,
    seed: int,
    benefit: Trial | None = None,
    rows: Rows | None = None,
    consents: ConsentCounts | None = None,
    measures: Measures | None = None,
    robustness: Robustness | None = None,
    procedure: CrossFitted | HeldOut | None = None,
    simpler: Simpler | None = None,
) -> AuditInput:
    """Checks and aligns an audit's input. Arguments as in `audits.runner.audit`.

    Returns:
        The input as checks get it.

    Raises:
        AuditsInputError: Something does not fit; the message names it, and no value of anybody.
    """
    truth, known = outcomes(y_true)
    n = len(truth)
    if n == 0:
        raise AuditsInputError(
            "no people to audit: y_true is empty", "pass the rows that were held out or cross-fitted"
        )
    attributes = {a.name: a for a in _attributes(sensitive_features, n)}
    needs = None
    if other_needs is not None:
        aligned = {name: np.asarray(_aligned(name, v, n)) for name, v in other_needs.items()}
        needs = {name: binary(name, v if known is None else v[known]) for name, v in aligned.items()}
    first = baseline
    if baseline is not None and baseline.y_pred is not None:
        first = Baseline(
            _aligned("baseline.y_pred", binary("baseline.y_pred", baseline.y_pred), n), baseline.label
        )
    if features is not None:
        _aligned("features", np.zeros(len(features)), n)
    score = None if y_score is None else _aligned("y_score", _finite("y_score", y_score), n)
    groups = {a.name: [g for g in a.groups if g != UNKNOWN] or list(a.groups) for a in attributes.values()}
    drawn = lines
    if drawn is None:
        drawn = policy_lines.default_lines(
            tuple(attributes),
            probability=score is not None and bool(score.min() >= 0 and score.max() <= 1),
            baseline=first is not None,
            measures=bool(needs),
        )
    return without_outcome(
        known,
        AuditInput(
            y_true=truth,
            y_pred=_aligned("y_pred", binary("y_pred", y_pred), n),
            y_score=score,
            threshold=threshold,
            attributes=attributes,
            lines=policy_lines.at_most(
                policy_lines.expand(drawn, groups, tuple(needs or ())), given=lines is not None
            ),
            other_needs=needs,
            baseline=first,
            features=features,
            explain=explain,
            data_quality=data_quality,
            clusters=None if clusters is None else _aligned("clusters", _codes(clusters), n),
            seed=seed,
            benefit=benefit,
            rows=rows,
            consents=consents,
            measures=measures,
            robustness=robustness,
            procedure=procedure,
            simpler=None if simpler is None else _simpler(simpler, n),
        ),
    )


def outcomes(values: ArrayLike) -> tuple[NDArray[np.int8], NDArray[np.bool_] | None]:
    """Reads the outcome, which may be unknown for some.

    Args:
        values: Booleans or numbers 0 and 1; NaN or None where it is unknown; [n].

    Returns:
        int8[n], 0 where it is unknown; and bool[n], where it is known: None where it is for everybody.

    Raises:
        AuditsInputError: As `binary`, or nobody's outcome is known.
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "fO" or not (missing := np.asarray(pd.isna(array))).any():
        return binary("y_true", array), None
    if missing.all():
        raise AuditsInputError(
            f"the outcome of all {len(array)} people is unknown", "pass rows of which some outcomes are known"
        )
    truth = np.zeros(len(array), np.int8)
    truth[~missing] = binary("y_true", array[~missing])
    return truth, ~missing


def without_outcome(known: NDArray[np.bool_] | None, given: AuditInput) -> AuditInput:
    """Puts people whose outcome is unknown apart: what is not about selection alone is asked of the others.

    Args:
        known: bool[n], whose outcome is known; None: everybody's.
        given: Of everybody; its other measures of need are of the known already.

    Returns:
        The input as checks get it.
    """
    if known is None:
        return given
    first = given.baseline
    before = None if first is None else first.y_pred
    return replace(
        given,
        y_true=given.y_true[known],
        y_pred=given.y_pred[known],
        y_score=None if given.y_score is None else given.y_score[known],
        attributes={
            a.name: replace(a, codes=a.codes[known], unknown_codes=a.codes[~known])
            for a in given.attributes.values()
        },
        baseline=None if first is None else replace(first, y_pred=None if before is None else before[known]),
        features=None if given.features is None else given.features[known],
        explain=None if given.explain is None else _explained(known, given.explain),
        clusters=None if given.clusters is None else given.clusters[known],
        simpler=None if given.simpler is None else _compared(known, given.simpler),
        measures=None if given.measures is None else among(given.measures, known),
        unknown=UnknownRows(
            y_pred=given.y_pred[~known],
            y_score=None if given.y_score is None else given.y_score[~known],
            baseline=None if before is None else before[~known],
            clusters=None if given.clusters is None else given.clusters[~known],
        ),
    )


def _explained(known: NDArray[np.bool_], why: Explanation) -> Explanation:
    """The explanation of those whose outcome is known; one that does not fit stays as it is, and its check says so."""
    refits = why.refits
    named = np.zeros(0, dtype=np.int64) if refits is None else refits.rows
    if not len(why.contributions) == len(known) == len(why.output) or (named >= len(known)).any():
        return why
    if refits is not None:
        kept, place = known[refits.rows], np.cumsum(known) - 1
        refits = replace(
            refits, rows=place[refits.rows[kept]], contributions=refits.contributions[:, kept, :]
        )
    return replace(why, contributions=why.contributions[known], output=why.output[known], refits=refits)


def _compared(known: NDArray[np.bool_], given: Simpler) -> Simpler:
    models = (
        replace(c, y_pred=c.y_pred[known], y_score=None if c.y_score is None else c.y_score[known])
        for c in given.models
    )
    return replace(given, models=tuple(models))


def _simpler(given: Simpler, n: int) -> Simpler:
    models = tuple(
        replace(
            c,
            y_pred=_aligned(f"{c.name}.y_pred", binary(f"{c.name}.y_pred", c.y_pred), n),
            y_score=None
            if c.y_score is None
            else _aligned(f"{c.name}.y_score", _finite(f"{c.name}.y_score", c.y_score), n),
        )
        for c in given.models
    )
    names = [c.name for c in models]
    if len(set(names)) < len(names) or "chance" in names:
        raise AuditsInputError(
            f"baselines are named {', '.join(names)}", "give each a name of its own; chance is always added"
        )
    return replace(given, models=models)


def binary(name: str, values: ArrayLike) -> NDArray[np.int8]:
    """Reads a column of yes and no.

    Args:
        name: For the message.
        values: Booleans, or numbers 0 and 1; [n].

    Returns:
        int8[n].

    Raises:
        AuditsInputError: Another shape, another value, or a missing one.
    """
    array = np.asarray(values)
    if array.ndim == 1 and array.dtype == np.bool_:
        return array.astype(np.int8)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise AuditsInputError(
            f"{name} holds something that is not a number; expected 0 and 1", "code yes as 1"
        ) from error
    if array.ndim != 1 or not np.isin(numbers, (0.0, 1.0)).all():
        what = (
            "has missing values"
            if np.isnan(numbers).any()
            else f"has {len(np.unique(numbers))} different values"
        )
        raise AuditsInputError(
            f"{name} has shape {array.shape} and {what}; expected one value per person, 0 or 1",
            "only the outcome `y_true` may be unknown (NaN or None)",
        )
    return numbers.astype(np.int8)


def _attributes(given: Any, n: int) -> list[Attribute]:
    if isinstance(given, pd.DataFrame):
        columns = {str(c): given[c] for c in given.columns}
    elif isinstance(given, Mapping):
        columns = {str(k): v for k, v in given.items()}
    else:
        columns = {str(getattr(given, "name", None) or "group"): given}
    if not columns:
        raise AuditsInputError("no sensitive feature to audit by", "pass at least one, as fairlearn does")
    return [_attribute(name, values, n) for name, values in columns.items()]


def _attribute(name: str, values: Any, n: int) -> Attribute:
    column = pd.Series(np.asarray(values, dtype=object))
    _aligned(name, column.to_numpy(), n)
    missing = column.isna().to_numpy() | column.isin(["", UNKNOWN]).to_numpy()
    codes, distinct = pd.factorize(column.where(~missing))
    labels = [_label(v) for v in distinct]
    known = sorted(set(labels))
    groups = (*known, UNKNOWN) if missing.any() else tuple(known)
    # Position of each distinct value's label among the groups; the last entry is where code -1, a missing value, arrives.
    place = np.array([*(known.index(v) for v in labels), len(known)], dtype=np.int64)
    return Attribute(name, groups, place[codes], float(missing.mean()))


def _label(value: Any) -> str:
    return (
        str(int(value))
        if isinstance(value, (float, np.floating)) and float(value).is_integer()
        else str(value)
    )


def _codes(values: ArrayLike) -> NDArray[np.int64]:
    column = pd.Series(np.asarray(values, dtype=object))
    if column.isna().any():
        raise AuditsInputError(
            "clusters has missing values", "give a person without a family a cluster of their own"
        )
    return pd.factorize(column)[0].astype(np.int64)


def _finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise AuditsInputError(
            f"{name} has shape {numbers.shape} or values that are not finite", "one number per person"
        )
    return numbers


def _aligned(name: str, values: Any, n: int) -> Any:
    if len(values) != n:
        raise AuditsInputError(
            f"{name} has {len(values)} rows, y_true has {n}", "pass one value per person, in one order"
        )
    return values
