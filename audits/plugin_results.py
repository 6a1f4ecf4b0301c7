"""What a third party's check may put into a report: findings of its own that screen or describe, and what it cannot know. Pure."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from audits.check import CheckResult
from audits.finding import Finding, Role

if TYPE_CHECKING:
    from collections.abc import Collection

_FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)
_OWN = ("findings", "unknowns")


def fault(name: str, result: CheckResult, taken: Collection[str] = ()) -> str:
    """Says why a result cannot go into a report.

    Args:
        name: Name of the check.
        result: What it gave back.
        taken: Codes of the findings that are in the report already.

    Returns:
        The reason, without any text of the result beyond codes of the check's own; "" if it may.
    """
    if not isinstance(result.findings, (tuple, list)) or not all(
        isinstance(f, Finding) for f in result.findings
    ):
        return "gave findings that are no audits.finding.Finding"
    if not isinstance(result.unknowns, (tuple, list)) or not all(isinstance(u, str) for u in result.unknowns):
        return "gave unknowns that are no texts"
    empty = CheckResult(findings=())
    if more := [
        f.name
        for f in fields(result)
        if f.name not in _OWN and not _same(getattr(result, f.name), getattr(empty, f.name))
    ]:
        return f"filled {more[0]}: a section of luvalla's own, which a plug-in does not fill"
    seen = set(taken)
    for f in result.findings:
        if f.check != name or not str(f.code).startswith(f"{name}."):
            return "gave a finding whose code does not begin with the check's name and a point, or that names another check"
        if f.code in seen:
            return f"gave the finding {f.code!r} twice, or one that is in the report already"
        seen.add(f.code)
        if f.role is Role.DECIDES:
            return f"gave the finding {f.code!r} that decides: only the lines of a policy do"
        try:
            _FINDING.validate_json(_FINDING.dump_json(f, warnings=False), strict=True)
        except (ValidationError, ValueError):
            return f"gave the finding {f.code!r} with a value of the wrong kind"
        if any(isinstance(v, float) and not math.isfinite(v) for v in vars(f).values()):
            return (
                f"gave the finding {f.code!r} with a number that is not finite; what does not exist is None"
            )
    return ""


def kept(result: CheckResult) -> CheckResult:
    """The result with tuples where a stranger gave lists.

    Args:
        result: One without a fault.

    Returns:
        The same findings.
    """
    return replace(result, findings=tuple(result.findings), unknowns=tuple(result.unknowns))


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (tuple, list)) and not len(one) and not len(other))
