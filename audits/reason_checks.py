"""Whether reasons hold over refits, keep declared directions, and do what they say. Pure.

A reason that another sample of the same people would have replaced by another one is an accident of training: told to a person as
*the* reason it misleads, however exactly it adds up. The refits are the folds' models of the cross-fit, each fitted on the other
folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from audits.errors import AuditsInputError
from audits.reason_facts import (
    DeletionFacts,
    DeletionStep,
    FeatureOverRefits,
    MonotoneFacts,
    ReasonOverRefits,
    RefitFacts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.probes import Deletion, Moved, Refits

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

STRONGEST = 3
"""Reasons told each way: what `models.reasons.leading` and the citizen's page take."""
LEAST = 0.80
"""Least share of people for whom a stable reason is told by every refit too. Source: luvalla 2026 (docs/audits/reasons.md)."""
FEW = 20
"""Told to fewer people of the sample, a reason is not shown to be stable: the rule's own limit for judging."""
SLACK = 1e-9
"""Steps the wrong way up to this, in the explanation's unit, are rounding: trees add up some 60 numbers of size 1."""
LEVEL = 0.95


def over_refits(
    names: tuple[str, ...],
    labels: tuple[str, ...],
    own: Floats,
    selected: Bools,
    refits: Refits,
) -> RefitFacts:
    """Holds the version's reasons against those of its refits.

    Args:
        names: Features, [f].
        labels: In plain words, [f].
        own: float64[m, f], the version's contributions for the same people as the refits'.
        selected: bool[m], who of them was selected: told what spoke for it; the others, what spoke against.
        refits: Contributions of each refit.

    Returns:
        The facts.

    Raises:
        AuditsInputError: Arrays that do not fit together or are not finite, or fewer than two refits.
    """
    shape = (len(refits.contributions), *own.shape)
    if shape[0] < 2 or refits.contributions.shape != shape or len(refits.families) != len(names):  # noqa: PLR2004
        raise AuditsInputError(
            f"refits' contributions of shape {refits.contributions.shape} and {len(refits.families)} families for {own.shape[0]} "
            f"people and {len(names)} features",
            "pass contributions[r, m, f] of at least two refits, m row numbers and f families",
        )
    if not np.isfinite(refits.contributions).all():
        raise AuditsInputError(
            "refits' contributions are not finite", "explain the rows as the models get them"
        )
    families = tuple(dict.fromkeys(refits.families))
    gather = np.array([[f == family for family in families] for f in refits.families], dtype=np.float64)
    every = np.concatenate([own[None], refits.contributions])
    shares = np.array([_shares(c) for c in every])
    single = [_told(sign * every) for sign in (1, -1)]
    told = {d: _told(sign * (every @ gather)) for d, sign in (("for", 1), ("against", -1))}
    reasons = tuple(
        _reason(name, refits.labels.get(name, name), d, told[d][:, :, j])
        for d in ("for", "against")
        for j, name in enumerate(families)
    )
    leading = [_leading(c, selected) for c in every @ gather]
    has = leading[0] >= 0
    stable = np.array([[r.stable for r in reasons if r.direction == d] for d in ("for", "against")])
    heard = np.where(selected[:, None], told["for"][0] & stable[0], told["against"][0] & stable[1])
    return RefitFacts(
        refits=len(every) - 1,
        people=len(own),
        rank_correlation=_least_correlation(shares),
        leading=int(has.sum()),
        leading_kept=int((has & np.all([one == leading[0] for one in leading], axis=0)).sum()),
        strongest=STRONGEST,
        least=LEAST,
        few=FEW,
        none_stable=int((~heard.any(axis=1)).sum()),
        features=tuple(
            FeatureOverRefits(
                name,
                label,
                float(shares[1:, j].min()),
                float(shares[1:, j].max()),
                int(sum(way[0, :, j].sum() for way in single)),
                int(sum(way[:, :, j].all(axis=0).sum() for way in single)),
            )
            for j, (name, label) in enumerate(zip(names, labels, strict=True))
        ),
        reasons_told=reasons,
    )


def monotone(moved: Sequence[Moved], labels: dict[str, str]) -> tuple[MonotoneFacts, ...]:
    """Looks for steps against the declared direction in the model's own output.

    Args:
        moved: Declared features.
        labels: Features in plain words.

    Returns:
        One for each, in the same order.

    Raises:
        AuditsInputError: A grid that is not rising, or an output that does not fit it or is not finite.
    """
    out = []
    for each in moved:
        if each.output.ndim != 2 or each.output.shape[1] != len(each.grid) or (np.diff(each.grid) <= 0).any():  # noqa: PLR2004
            raise AuditsInputError(
                f"output of shape {each.output.shape} for a grid of {len(each.grid)} values of {each.feature}",
                "pass a rising grid[g] and output[m, g]",
            )
        if not np.isfinite(each.output).all():
            raise AuditsInputError(
                f"the output over the grid of {each.feature} is not finite", "ask the model itself"
            )
        steps = np.diff(each.output, axis=1) * (-1 if each.direction == "increasing" else 1)
        worst = steps.max(axis=1) if steps.size else np.zeros(len(each.output))
        wrong = worst > SLACK
        out.append(
            MonotoneFacts(
                each.feature,
                labels.get(each.feature, each.feature),
                each.direction,
                len(each.output),
                len(each.grid),
                int(wrong.sum()),
                float(worst[wrong].max()) if wrong.any() else 0.0,
            )
        )
    return tuple(out)


def deletion(given: Deletion) -> DeletionFacts:
    """Compares taking away what raised a score most with taking away as much at random (deletion, as Petsiuk and others 2018).

    Args:
        given: Outputs.

    Returns:
        Mean drops, and their paired difference with a t interval over people.

    Raises:
        AuditsInputError: Arrays that do not fit together, or fewer than two people.
    """
    k, m = given.strongest.shape
    if m < 2 or given.before.shape != (m,) or given.random.shape[1:] != (k, m):  # noqa: PLR2004
        raise AuditsInputError(
            f"deletion of shapes {given.before.shape}, {given.strongest.shape} and {given.random.shape}",
            "pass before[m], strongest[k, m] and random[d, k, m], m at least 2",
        )
    steps = []
    for i in range(k):
        strongest, random = given.before - given.strongest[i], given.before - given.random[:, i].mean(axis=0)
        gain = strongest - random
        half = float(stats.t.ppf((1 + LEVEL) / 2, m - 1) * gain.std(ddof=1) / np.sqrt(m))
        mean = float(gain.mean())
        steps.append(
            DeletionStep(i + 1, float(strongest.mean()), float(random.mean()), mean, mean - half, mean + half)
        )
    return DeletionFacts(m, given.reference, len(given.random), tuple(steps))


def _shares(contributions: Floats) -> Floats:
    size = np.abs(contributions).mean(axis=0)
    return np.asarray(size / (size.sum() or 1.0))


def _told(signed: Floats) -> Bools:
    """bool[r, m, c]: among the `STRONGEST` of each person, and speaking that way at all. Equal ones: the first."""
    place = np.argsort(np.argsort(-signed, axis=2, kind="stable"), axis=2)
    return np.asarray((place < STRONGEST) & (signed > 0))


def _leading(sums: Floats, selected: Bools) -> NDArray[np.int64]:
    """int64[m]: the strongest family that speaks the way the person was decided on; -1 where none does."""
    signed = np.where(selected[:, None], sums, -sums)
    return np.where(signed.max(axis=1) > 0, signed.argmax(axis=1), -1)


def _reason(name: str, label: str, direction: str, told: Bools) -> ReasonOverRefits:
    of, kept = int(told[0].sum()), int(told.all(axis=0).sum())
    return ReasonOverRefits(name, label, direction, of, kept, of >= FEW and kept >= LEAST * of)


def _least_correlation(shares: Floats) -> float | None:
    """Of the version's importance with each refit's; None with one feature, or where all weigh the same."""
    if shares.shape[1] < 2 or any(np.ptp(one) == 0 for one in shares):  # noqa: PLR2004  a rank correlation takes two
        return None
    return min(float(stats.spearmanr(shares[0], one).statistic) for one in shares[1:])
