"""Groups made of groups: an attribute's small ones pooled, and attributes crossed. Both are attributes like any other."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from audits import judging
from audits.check import Attribute
from audits.finding import Finding, Outcome, Role
from audits.lines import METRICS, UNKNOWN, Line
from audits.rule import FEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from audits.check import AuditInput

DEPTH = 2
"""Attributes crossed with each other at most: deeper cells hold people too few to say anything of. Source: issue 4, rule 2."""
FULL = 0.5
"""Share of the cells of a crossing that must expect `FEW` events for it to be screened. Source: issue 4, rule 2."""
BESIDE = " + "
CROSS = " x "


def pooled(attribute: Attribute, groups: Sequence[str]) -> Attribute:
    """Makes one group of several.

    Args:
        attribute: The sensitive feature.
        groups: At least two of its groups.

    Returns:
        The attribute with the group ``a + b`` in place of these.
    """
    names = (BESIDE.join(groups), *(g for g in attribute.groups if g not in groups))
    place = np.array([0 if g in groups else names.index(g) for g in attribute.groups], dtype=np.int64)
    unknown = None if attribute.unknown_codes is None else place[attribute.unknown_codes]
    return Attribute(attribute.name, names, place[attribute.codes], attribute.missing, unknown)


def pool_of(findings: Sequence[Finding], finding: Finding) -> tuple[str, ...]:
    """Names the groups of a finding's attribute that are too small for its line, this one among them.

    Args:
        findings: Of all lines.
        finding: One of them.

    Returns:
        Two groups or more; () if there is nothing to pool.
    """
    if not _small(finding):
        return ()
    same = (finding.metric, finding.attribute, finding.measure, finding.direction)
    groups = [
        str(f.group)
        for f in findings
        if _small(f) and (f.metric, f.attribute, f.measure, f.direction) == same
    ]
    return tuple(sorted(groups)) if len(groups) > 1 else ()


def judge_pools(
    given: AuditInput, findings: Sequence[Finding], family: int
) -> tuple[tuple[Finding, ...], tuple[tuple[Line, Attribute, Finding], ...]]:
    """Pools an attribute's groups that are too small for a deciding line into one line, which decides for all of them.

    Each of them keeps its own finding: named, with its interval, too few to judge.

    Args:
        given: The audit's input.
        findings: One per line of `given`, in their order.
        family: Deciding lines: the pooled one takes the place of two or more, so it dilutes nothing.

    Returns:
        The findings, those that were pooled pointing to their pool; and each pool's line, attribute and finding.
    """
    pools: dict[str, tuple[Line, Attribute, Finding]] = {}
    out = []
    for line, found in zip(given.lines, findings, strict=True):
        groups = pool_of(findings, found)
        if not groups:
            out.append(found)
            continue
        together = replace(line, group=BESIDE.join(groups))
        if together.id not in pools:
            attribute = pooled(given.attributes[line.attribute], groups)
            judged = judging.judge(together, attribute, given, family)
            pools[together.id] = (together, attribute, replace(judged, pooled=groups))
        out.append(point(found, pools[together.id][2]))
    return tuple(out), tuple(pools.values())


def point(found: Finding, pool: Finding) -> Finding:
    """Says of a small group's finding where it is decided.

    Args:
        found: Its finding.
        pool: The finding it decides in, together with others.

    Returns:
        The same finding, pointing there.
    """
    message = f"{found.message} Decided together with the attribute's other small groups: {pool.group}."
    return replace(found, pool=pool.code, message=message)


def crossed(attributes: Sequence[Attribute]) -> Attribute:
    """Crosses attributes: a group for each combination of their known groups that anybody has.

    Args:
        attributes: Two or more.

    Returns:
        The attribute ``a x b``; people with an unknown value are its group "unknown".
    """
    sizes = [len(a.groups) for a in attributes]
    codes = np.ravel_multi_index([a.codes for a in attributes], sizes)
    known = np.ones(len(codes), dtype=np.bool_)
    for a in attributes:
        if UNKNOWN in a.groups:
            known &= a.codes != a.groups.index(UNKNOWN)
    cells = np.unique(codes[known])
    names = [
        CROSS.join(a.groups[i] for a, i in zip(attributes, np.unravel_index(cell, sizes), strict=True))
        for cell in cells
    ]
    place = np.full(int(np.prod(sizes)), len(cells), dtype=np.int64)
    place[cells] = np.arange(len(cells))
    unknown = _cross_unknown(attributes, place, sizes)
    everybody_known = known.all() and (unknown is None or bool((unknown < len(cells)).all()))
    groups = tuple(names) if everybody_known else (*names, UNKNOWN)
    missing = float(1 - known.mean())
    return Attribute(CROSS.join(a.name for a in attributes), groups, place[codes], missing, unknown)


def _cross_unknown(
    attributes: Sequence[Attribute], place: NDArray[np.int64], sizes: Sequence[int]
) -> NDArray[np.int64] | None:
    """The crossed groups of people whose outcome is unknown; a cell that nobody else is in counts as unknown."""
    codes = [a.unknown_codes for a in attributes if a.unknown_codes is not None]
    if len(codes) < len(attributes):
        return None
    return place[np.ravel_multi_index(codes, sizes)]


def cross(given: AuditInput, depth: int = DEPTH) -> tuple[tuple[Line, Attribute, tuple[str, ...]], ...]:
    """Draws the screening lines of crossed groups: what decides on coarse groups is asked of each cell.

    Args:
        given: The audit's input.
        depth: Attributes crossed at most.

    Returns:
        Line, crossed attribute, and the attributes crossed. A metric is crossed to the largest depth at which half of all
        cells expect `FEW` events, its own denominators spread evenly.
    """
    deciding = [line for line in given.lines if line.role is Role.DECIDES]
    names = list(dict.fromkeys(line.attribute for line in deciding))
    metrics = {(line.metric, line.measure, line.direction, line.limit): line for line in deciding}
    made = {
        of: crossed([given.attributes[name] for name in of])
        for number in range(2, min(depth, len(names)) + 1)
        for of in itertools.combinations(names, number)
    }
    out = []
    for line in metrics.values():
        share = judging.events_share(line, given)
        deepest = max(
            (
                number
                for number in range(2, depth + 1)
                if _full([a for of, a in made.items() if len(of) == number], share)
            ),
            default=1,
        )
        for of, attribute in made.items():
            if len(of) <= deepest:
                out += [
                    (replace(line, attribute=attribute.name, group=group, role=Role.SCREENS), attribute, of)
                    for group in attribute.groups
                    if group != UNKNOWN
                ]
    return tuple(out)


def _full(attributes: Sequence[Attribute], share: float) -> bool:
    people = [
        n
        for a in attributes
        for n, group in zip(np.bincount(a.codes, minlength=len(a.groups)), a.groups, strict=True)
        if group != UNKNOWN
    ]
    return bool(people) and sum(n * share >= FEW for n in people) >= FULL * len(people)


def _small(finding: Finding) -> bool:
    """Whether it is this group, and not everyone else, that is too few for a deciding line."""
    if (
        finding.role is not Role.DECIDES
        or not finding.too_few
        or finding.outcome is not Outcome.NOT_ENOUGH_EVIDENCE
    ):
        return False
    c = finding.counts
    others = c is not None and METRICS[finding.metric].rate != "" and c.rest_of < FEW <= c.group_of
    return finding.n != 0 and not others
