"""The check `consents`: who consented, by group, on counts alone, and what the others could change. Described."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from audits import consent_bounds, intervals
from audits.check import AuditInput, CheckResult
from audits.consent_facts import ConsentFacts, ConsentShare
from audits.errors import AuditsInputError
from audits.finding import Finding, Outcome, Role, Scale
from audits.row_missing import holm

if TYPE_CHECKING:
    from audits.consent_facts import ConsentCount, ConsentCounts

LEVEL = 0.95
ERROR = 0.05


@dataclass(frozen=True)
class ConsentsCheck:
    """Describes consent by group, its effect on who is in the rows, and on the deciding lines."""

    name: str = "consents"

    def run(self, given: AuditInput) -> CheckResult:
        """Describes consent.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without counts; else findings and their section.

        Raises:
            AuditsInputError: Counts without a basis, negative, not of the audited attributes and groups, fewer consents than
                people audited, or attributes that do not add up to the same people.
        """
        consents = given.consents
        if consents is None:
            return CheckResult(findings=())
        _check(given, consents)
        shares = tuple(_share(c) for c in consents.groups)
        lines = consent_bounds.bounded(given, consents)
        first = [s for s in shares if s.attribute == shares[0].attribute]
        people, agreed = sum(s.people for s in first), sum(s.given for s in first)
        facts = ConsentFacts(
            consents.basis, consents.simulated, people, agreed, consents.uncounted, shares, lines
        )
        deciding = sum(line.role is Role.DECIDES for line in given.lines)
        findings = (
            _who(facts),
            *_groups(facts),
            *([_bounds(facts, deciding), _weights(facts)] if lines else []),
        )
        return CheckResult(findings=findings, consents=facts)


def _check(given: AuditInput, consents: ConsentCounts) -> None:
    if not consents.basis.strip():
        raise AuditsInputError(
            "counts of consents without a legal basis", "say by what law they were counted"
        )
    if any(min(c.given, c.refused, c.withdrawn, c.other) < 0 for c in consents.groups):
        raise AuditsInputError("a negative count of consents", "count again")
    repeated = Counter((c.attribute, c.group) for c in consents.groups)
    if not repeated or max(repeated.values()) > 1:
        raise AuditsInputError("consents are not counted once for each group", "count again")
    totals = Counter[tuple[str, str]]()
    for c in consents.groups:
        totals[c.attribute, "people"] += c.people
        totals[c.attribute, "given"] += c.given
    for kind in ("people", "given"):
        if len({n for (_, what), n in totals.items() if what == kind}) > 1:
            raise AuditsInputError(
                f"the counts of consents give different numbers ({kind}) by different attributes",
                "count the same people for every attribute",
            )
    for attribute in given.attributes.values():
        told = {c.group: c for c in consents.groups if c.attribute == attribute.name}
        sizes = np.bincount(attribute.codes, minlength=len(attribute.groups))
        for group, n in zip(attribute.groups, sizes, strict=True):
            if group not in told or told[group].given < n:
                raise AuditsInputError(
                    f"fewer consents than people audited in {group} ({attribute.name})",
                    "count the people that the audited rows were taken from",
                )


def _share(c: ConsentCount) -> ConsentShare:
    numbers = (c.people, c.given, c.refused, c.withdrawn, c.other)
    if not c.people:
        return ConsentShare(c.attribute, c.group, *numbers, None, None, None)
    low, high = (float(v) for v in intervals.wilson(c.given, c.people, LEVEL))
    return ConsentShare(c.attribute, c.group, *numbers, c.given / c.people, low, high)


def _who(facts: ConsentFacts) -> Finding:
    told = [s for s in facts.shares if s.attribute == facts.shares[0].attribute]
    refused, withdrawn, other = (
        sum(getattr(s, what) for s in told) for what in ("refused", "withdrawn", "other")
    )
    text = (
        f"Of {facts.people:,} people counted {facts.given:,} consented ({facts.given / max(1, facts.people):.1%}), {refused:,} refused, "
        f"{withdrawn:,} withdrew, of {other:,} there is no consent that covers the audit."
    )
    if facts.uncounted:
        text += f" {facts.uncounted:,} who objected, or had the processing restricted, are in no count."
    if facts.simulated:
        text += " These consents are simulated: what follows says nothing of real people's choices."
    return _finding("who", text, facts.given / max(1, facts.people))


def _groups(facts: ConsentFacts) -> list[Finding]:
    names = list(dict.fromkeys(s.attribute for s in facts.shares))
    by_name = {name: [s for s in facts.shares if s.attribute == name and s.people] for name in names}
    tables = [np.array([[s.given, s.people - s.given] for s in told]) for told in by_name.values()]
    adjusted = holm(
        [
            float(stats.chi2_contingency(t).pvalue) if len(t) > 1 and t.sum(axis=0).min() > 0 else 1.0
            for t in tables
        ]
    )
    out = []
    for (name, told), p in zip(by_name.items(), adjusted, strict=True):
        if not facts.given or not told:
            continue
        distance = sum(abs(s.given / facts.given - s.people / facts.people) for s in told) / 2
        least, most = (pick(told, key=lambda s: s.share or 0.0) for pick in (min, max))
        words = name.replace("_", " ")
        text = (
            f"By {words} between {least.share:.1%} ({least.group}) and {most.share:.1%} ({most.group}) consented; "
            + ("chance does not explain it" if p < ERROR else "chance could explain it")
            + f" (chi-square, Holm-adjusted p {p:.2g}). {distance:.1%} of the rows would have to be of other groups to be like everyone counted."
        )
        out.append(_finding(f"groups:{name}", text, distance, tool="scipy"))
    return out


def _bounds(facts: ConsentFacts, deciding: int) -> Finding:
    count = Counter(line.verdict for line in facts.lines)
    text = (
        f"If nothing is assumed of those who did not consent, {count['inside']} of the {len(facts.lines)} deciding lines that compare two rates are inside their limit "
        f"whatever these people are like, {count['outside']} are outside, and {count['open']} depend on them."
    )
    if other := deciding - len(facts.lines):
        text += f" The other {other} deciding lines are not bounded here."
    if count["open"]:
        text += " What the audit says holds for those who consented; for everyone it is an assumption."
    return _finding("bounds", text, float(count["open"]))


def _weights(facts: ConsentFacts) -> Finding:
    moves = [
        (abs(line.weighted - line.seen), line)
        for line in facts.lines
        if line.weighted is not None and line.seen is not None
    ]
    if not moves:
        return _finding("weights", "Of some group nobody consented: no weight can stand for it.", None)
    most, line = max(moves, key=lambda m: m[0])
    text = (
        "If within each group those who did not consent are like those who did (missing at random within group), and every group counts for its size, "
        f"the estimate that moves most moves by {most:.3f}: {line.line}, from {line.seen:+.3f} to {line.weighted:+.3f}. The verdict uses the rows as they are."
    )
    return _finding("weights", text, most)


def _finding(what: str, message: str, estimate: float | None, tool: str = "luvalla") -> Finding:
    return Finding(
        code=f"consents.{what}",
        check="consents",
        metric=what.split(":", maxsplit=1)[0],
        role=Role.DESCRIBED,
        outcome=Outcome.NOT_APPLICABLE,
        message=message,
        tool=tool,
        version=version(tool),
        scale=Scale.VALUE,
        estimate=estimate,
    )
