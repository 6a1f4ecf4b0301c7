"""The report: facts as plain data, their canonical bytes, and a digest that binds a decision to exactly them.

The page a board reads is made from these facts (`audits.html`) and adds none of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from audits.baseline_facts import BaselineFacts  # noqa: TC001  pydantic reads these annotations when it runs
from audits.benefit_facts import BenefitFacts  # noqa: TC001  the same
from audits.consent_facts import ConsentFacts  # noqa: TC001  the same
from audits.errors import AuditsEvidenceError, AuditsInputError
from audits.finding import Finding  # noqa: TC001  pydantic reads these annotations when it runs
from audits.group_facts import TradeRow  # noqa: TC001  the same
from audits.label_facts import LabelFacts  # noqa: TC001  the same
from audits.procedure_facts import ProcedureFacts  # noqa: TC001  the same
from audits.proxy_facts import ProxyFacts  # noqa: TC001  the same
from audits.robust_facts import RobustnessFacts  # noqa: TC001  the same
from audits.row_facts import RowFacts  # noqa: TC001  the same
from audits.sections import (  # noqa: TC001  the same
    DataQualityFacts,
    ExplanationFacts,
    GroupRow,
    PerformanceFacts,
    PopulationFacts,
    PriceRow,
    ReportSubject,
    RuleFacts,
    Tool,
    Verdict,
)
from audits.subgroup_facts import SubgroupFacts  # noqa: TC001  the same
from audits.unknown_facts import UnknownFacts  # noqa: TC001  the same

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = "luvalla/audit-report/v1"
ADDED: Final = frozenset(
    {
        "audits_on_rows",
        "baselines",
        "benefit",
        "by_capacity",
        "by_group",
        "consents",
        "crossed",
        "deletion",
        "further",
        "labels",
        "monotone",
        "people_selected",
        "pool",
        "pooled",
        "procedure",
        "proxies",
        "ranges",
        "robustness",
        "subgroups",
        "row_quality",
        "refits",
        "trades",
        "unknown_outcomes",
    }
)
"""Fields that came to this format after its first reports: left out of the bytes where they say nothing, so that a report
written before them keeps its digest."""
SIGNIFICANT: Final = 10
"""Significant digits a float keeps in a report: above anything a decision turns on, below the last bits in which two
machines' libraries may differ."""


@dataclass(frozen=True)
class AuditReport:
    """Everything an audit found, as data.

    Args:
        schema: Name and version of this format.
        subject: What was audited and what is being decided.
        verdict: What the findings come to.
        rule: The rule as applied.
        population: Everybody together.
        findings: In the order in which checks ran; deciding lines in the policy's order.
        groups: Counts per group.
        price: Against the first version; empty if none was given.
        performance: None if there was no score.
        explanation: None if there was none.
        data_quality: None if no suite was given.
        unknowns: What is not known, in plain words.
        simulated: What in this audit is invented or simulated.
        tools: Libraries behind the numbers.
        trades: Criteria that cannot all hold where need differs, by group.
        benefit: None if the service declares no gain.
        robustness: None if nothing of it was given.
        consents: None if nobody counted who consented.
        row_quality: None if the rows behind the audit were not given.
        labels: None if nothing was said of other measures of need.
        subgroups: None if the model's features were not given.
        proxies: The same.
        baselines: None if nothing simpler was given.
        procedure: None if it was not told which models gave the scores.
        unknown_outcomes: None if every outcome is known.
    """

    schema: str
    subject: ReportSubject
    verdict: Verdict
    rule: RuleFacts
    population: PopulationFacts
    findings: tuple[Finding, ...]
    groups: tuple[GroupRow, ...]
    price: tuple[PriceRow, ...]
    performance: PerformanceFacts | None
    explanation: ExplanationFacts | None
    data_quality: DataQualityFacts | None
    unknowns: tuple[str, ...]
    simulated: tuple[str, ...]
    tools: tuple[Tool, ...]
    trades: tuple[TradeRow, ...] = ()
    benefit: BenefitFacts | None = None
    row_quality: RowFacts | None = None
    consents: ConsentFacts | None = None
    labels: LabelFacts | None = None
    robustness: RobustnessFacts | None = None
    subgroups: SubgroupFacts | None = None
    proxies: ProxyFacts | None = None
    baselines: BaselineFacts | None = None
    unknown_outcomes: UnknownFacts | None = None
    procedure: ProcedureFacts | None = None

    def to_json(self) -> bytes:
        """Gives the canonical bytes: UTF-8, keys sorted, no spaces, floats of 10 significant digits.

        Returns:
            The bytes that `digest` is taken of; the same facts always give the same bytes.
        """
        plain = _fixed(_ADAPTER.dump_python(self, mode="json"))
        return json.dumps(
            plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()

    @property
    def digest(self) -> str:
        """``sha256:`` and 64 hexadecimal digits, of `to_json`."""
        return "sha256:" + hashlib.sha256(self.to_json()).hexdigest()

    def finding(self, code: str) -> Finding:
        """Finds a finding by its code.

        Args:
            code: `Finding.code`.

        Returns:
            The finding.

        Raises:
            AuditsInputError: The report has none of that code.
        """
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise AuditsInputError(
            f"the report has no finding {code!r}", "list the codes: [f.code for f in report.findings]"
        )


_ADAPTER: TypeAdapter[AuditReport] = TypeAdapter(AuditReport)


def from_json(data: bytes) -> AuditReport:
    """Reads a report back, strictly: only the canonical bytes of a report of this format are one.

    Args:
        data: What `AuditReport.to_json` gave.

    Returns:
        The same report: ``from_json(r.to_json()).digest == r.digest``.

    Raises:
        AuditsInputError: Not a report of this format.
        AuditsEvidenceError: A report, but not in its canonical bytes: somebody rewrote it, or added to it.
    """
    try:
        report = _ADAPTER.validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise AuditsInputError(
            f"not an audit report: {where}: {first['msg']}",
            f"expected the JSON of {SCHEMA}, as `luvalla audits run` writes it",
        ) from error
    if report.schema != SCHEMA:
        raise AuditsInputError(
            f"report of format {report.schema!r}; expected {SCHEMA!r}", "use the luvalla that wrote it"
        )
    if report.to_json() != data:
        raise AuditsEvidenceError(
            "the report is not in its canonical bytes: it was reformatted, or something was added",
            "use the file as it was written; its digest is what votes and certificates name",
        )
    return report


def read(path: Path) -> AuditReport:
    """Reads a report's file.

    Args:
        path: Facts as JSON.

    Returns:
        The report.

    Raises:
        AuditsInputError: No such file, or not a report.
        AuditsEvidenceError: Not in its canonical bytes.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AuditsInputError(
            f"cannot read {path.name}: {error.strerror}", "give the path of a report's JSON"
        ) from error
    return from_json(data)


def canonical(report: AuditReport) -> AuditReport:
    """Gives the report as its own bytes tell it, so that what is decided on is what is written.

    Args:
        report: Floats of any length.

    Returns:
        The report with floats of 10 significant digits.
    """
    return from_json(report.to_json())


def json_schema() -> dict[str, Any]:
    """Gives the JSON Schema of the format, as docs/spec/audit-report.schema.json holds it.

    Returns:
        JSON Schema 2020-12; every object is closed.
    """
    schema = _ADAPTER.json_schema()
    for part in (schema, *schema["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
            part["required"] = sorted(set(part["properties"]) - ADDED)
        part.pop("description", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "The facts of an audit. Canonical bytes: UTF-8, keys sorted, no spaces, floats of 10 significant digits.",
        **{k: v for k, v in schema.items() if k != "title"},
    }


def _fixed(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return float(format(value, f".{SIGNIFICANT}g")) + 0.0
    if isinstance(value, dict):
        return {k: _fixed(v) for k, v in value.items() if k not in ADDED or v not in (None, [], {})}
    if isinstance(value, list):
        return [_fixed(v) for v in value]
    return value
