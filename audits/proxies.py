"""The check `proxies`: how well features tell each group, and which features make up a difference in score. Described only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import Ridge

from audits import areas, feature_bins, rule, wording
from audits.check import AuditInput, CheckResult
from audits.counts import MIN_CLUSTERS
from audits.explainability import TOLERANCE
from audits.finding import Finding, Outcome, Role, Scale
from audits.proxy_facts import AttributedGap, Proxy, ProxyFacts
from audits.subgroups import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from audits.check import Explanation
    from audits.feature_bins import Binned

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Bools = NDArray[np.bool_]

FOLDS: Final = 5
LEVEL: Final = 0.95
MOST: Final = 20_000
"""People in the cross-fit at most: an area of so many is known to about .01. Source: luvalla 2026."""
_NAMED: Final = 3


@dataclass(frozen=True)
class ProxiesCheck:
    """Describes, and decides nothing."""

    name: str = "proxies"

    def run(self, given: AuditInput) -> CheckResult:
        """Describes how groups show through features.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without features and contributions; else a finding per group, and the section.
        """
        labels = words(given.explain)
        groups = list(_groups(given))
        proxies, people = _proxies(given, groups, labels)
        gaps = () if given.explain is None else attributed(given.explain, groups)
        if not proxies and not gaps:
            return CheckResult(findings=())
        unit = given.explain.unit if given.explain is not None else ""
        facts = ProxyFacts(people, FOLDS if people else 0, proxies, gaps, unit, labels)
        findings = [_told(p) for p in proxies] + [_made_up(g, facts) for g in gaps]
        if gaps:
            findings.append(_adds_up(gaps, unit))
        return CheckResult(findings=tuple(findings), proxies=facts)


def attributed(e: Explanation, groups: Sequence[tuple[str, str, Bools]]) -> tuple[AttributedGap, ...]:
    """Takes differences in mean score apart by feature.

    The mean contribution of the group less everyone else's; contributions that add up to each person's output add up to the
    difference of mean outputs. It says what the model's own arithmetic is made of, not what causes what.

    Args:
        e: Contributions and outputs.
        groups: Attribute, group and members, bool[n].

    Returns:
        A gap per group of at least 20 people, with as many elsewhere; empty where contributions are not for these people.
    """
    out = []
    for attribute, group, members in groups:
        n = int(members.sum())
        if e.contributions.shape != (len(members), len(e.features)) or e.output.shape != members.shape:
            return ()
        if min(n, len(members) - n) < rule.FEW:
            continue
        parts = e.contributions[members].mean(axis=0) - e.contributions[~members].mean(axis=0)
        score = float(e.output[members].mean() - e.output[~members].mean())
        order = sorted(range(len(parts)), key=lambda j: (-abs(parts[j]), e.features[j]))
        out.append(
            AttributedGap(
                attribute,
                group,
                n,
                score,
                tuple((e.features[j], float(parts[j])) for j in order),
                score - float(parts.sum()),
            )
        )
    return tuple(out)


def predicted(
    targets: Floats, bins: Sequence[Binned], clusters: Codes | None, seed: int
) -> tuple[Floats, Codes]:
    """Predicts groups from features, each person by a model that saw neither them nor their family.

    Ridge regression on the features' steps, one column a step: additive, and free to bend.

    Args:
        targets: 0 or 1, [n, g]: a column a group.
        bins: Features.
        clusters: Family of each person, int64[n], or None.
        seed: Of the folds.

    Returns:
        float64[n, g] predictions, and each person's fold, int64[n].
    """
    columns: list[Floats] = []
    for b in bins:
        columns += [b.steps == step for step in np.unique(b.steps[~np.isnan(b.steps)])[1:]]
        if np.isnan(b.steps).any():
            columns.append(np.isnan(b.steps))
    design = np.column_stack(columns).astype(np.float64)
    units = np.arange(len(design)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    fold = (np.random.default_rng(seed).permutation(int(units.max()) + 1) % FOLDS)[units]
    out = np.zeros(targets.shape)
    for k in range(FOLDS):
        held = fold == k
        out[held] = (
            Ridge(alpha=1.0)
            .fit(design[~held], targets[~held])
            .predict(design[held])
            .reshape(int(held.sum()), -1)
        )
    return out, fold.astype(np.int64)


def area(y: Bools, score: Floats, fold: Codes, clusters: Codes | None) -> tuple[float, float, float] | None:
    """Combines the folds' areas: scores of two folds come from two models and are not compared.

    Args:
        y: Of the group, bool[n].
        score: Predictions, float64[n].
        fold: Fold of each, int64[n].
        clusters: Family of each, or None; whole in one fold.

    Returns:
        The mean area, weighted by pairs, with DeLong's interval at 95 % on the logit scale; None where no fold has both.
    """
    folds = [fold == k for k in range(FOLDS)]
    pairs = np.array([float((y & f).sum() * (~y & f).sum()) for f in folds])
    if not pairs.any():
        return None
    value, influence = 0.0, np.zeros(len(y))
    for f, weight in zip(folds, pairs / pairs.sum(), strict=True):
        if weight:
            one = areas.among(f, y.astype(np.int8), score)
            value += weight * one.value
            influence += weight * one.influence
    return areas.interval(areas.Area(value, influence), LEVEL, clusters)


def _groups(given: AuditInput) -> Iterator[tuple[str, str, Bools]]:
    for a in given.attributes.values():
        masks = [(g, a.codes == k) for k, g in enumerate(a.groups)]
        masks = [(g, m) for g, m in masks if m.any() and not m.all()]
        for group, members in masks[:1] if len(masks) == 2 else masks:  # noqa: PLR2004  the other is everyone else
            yield a.name, group, np.asarray(members)


def _proxies(
    given: AuditInput, groups: Sequence[tuple[str, str, Bools]], labels: dict[str, str]
) -> tuple[tuple[Proxy, ...], int]:
    if given.features is None or not groups:
        return (), 0
    rows = _some(len(given.y_true), given.clusters, given.seed)
    clusters = None if given.clusters is None else given.clusters[rows]
    bins = feature_bins.binned(given.features.iloc[rows], labels)
    if not bins or (clusters is not None and len(np.unique(clusters)) < MIN_CLUSTERS):
        return (), 0
    targets = np.column_stack([members[rows] for _, _, members in groups]).astype(np.float64)
    scores, fold = predicted(targets, bins, clusters, given.seed)
    out = []
    for j, (attribute, group, members) in enumerate(groups):
        y = members[rows]
        enough = min(int(y.sum()), int((~y).sum())) >= rule.FEW
        found = area(y, scores[:, j], fold, clusters) if enough else None
        out.append(Proxy(attribute, group, int(members.sum()), *(found or (None, None, None))))
    return tuple(out), len(rows)


def _some(n: int, clusters: Codes | None, seed: int) -> Codes:
    """At most `MOST` people, families whole as far as a draw of families goes."""
    if n <= MOST:
        return np.arange(n)
    units = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    place = np.random.default_rng(seed).permutation(int(units.max()) + 1)[units]
    return np.sort(np.argsort(place, kind="stable")[:MOST])


def _told(p: Proxy) -> Finding:
    who = wording.group_name(p.group, p.attribute)
    text = (
        f"{who}: too few people to say how well the features tell this group."
        if p.auc is None or p.low is None or p.high is None
        else f"{who}: of a person of this group and another, the model's features tell which is which in {p.auc:.0%} of pairs "
        f"(95% interval {p.low:.0%} to {p.high:.0%}; 50% is chance)."
    )
    return _finding(
        f"auc:{p.attribute}={p.group}", "auc", text, p.attribute, p.group, p.n, (p.auc, p.low, p.high)
    )


def _made_up(g: AttributedGap, facts: ProxyFacts) -> Finding:
    parts = ", ".join(f"{facts.words.get(f, f.replace('_', ' '))} {v:+.2f}" for f, v in g.features[:_NAMED])
    text = (
        f"{wording.group_name(g.group, g.attribute)}: the mean score is {g.score:+.2f} {facts.unit} from everyone else's; above all "
        f"made up of {parts}. This describes the model's sum, not a cause."
    )
    return _finding(
        f"attribution:{g.attribute}={g.group}",
        "attribution",
        text,
        g.attribute,
        g.group,
        g.n,
        (g.score, None, None),
    )


def _adds_up(gaps: Sequence[AttributedGap], unit: str) -> Finding:
    error = max(abs(g.rest_of_sum) for g in gaps)
    ok = error < TOLERANCE
    found = _finding(
        "attribution_sum",
        "attribution_sum",
        f"By group, the features' parts {'add up' if ok else 'do not add up'} to the difference in mean score (largest error "
        f"{error:.1e} {unit}, allowed {TOLERANCE:.0e}).",
        None, None, None, (error, None, None),
    )  # fmt: skip
    outcome = Outcome.PASSED if ok else Outcome.FAILED
    return replace(found, role=Role.SCREENS, outcome=outcome, limit=TOLERANCE)


def _finding(
    code: str, metric: str, text: str, attribute: str | None, group: str | None, n: int | None,
    numbers: tuple[float | None, float | None, float | None],
) -> Finding:  # fmt: skip
    return Finding(
        code=f"proxies.{code}",
        check="proxies",
        metric=metric,
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=text,
        tool="luvalla",
        version=version("luvalla"),
        attribute=attribute,
        group=group,
        scale=Scale.VALUE,
        estimate=numbers[0],
        low=numbers[1],
        high=numbers[2],
        level=LEVEL if numbers[1] is not None else None,
        n=n,
    )
