"""Are the rows what the model was promised? A great-expectations suite, its result kept without a single value of a row."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from audits.check import AuditInput, CheckResult, DataQuality, Expectation, SqlTable
from audits.errors import AuditsInputError, AuditsUnavailableError
from audits.finding import Finding, Outcome, Role
from audits.sections import DataQualityFacts, ExpectationResult

TOOL = "great-expectations"
GX_NAMES = {
    "not_null": "ExpectColumnValuesToNotBeNull",
    "between": "ExpectColumnValuesToBeBetween",
    "in_set": "ExpectColumnValuesToBeInSet",
    "unique": "ExpectColumnValuesToBeUnique",
    "exists": "ExpectColumnToExist",
    "row_count": "ExpectTableRowCountToBeBetween",
}


@dataclass(frozen=True)
class DataQualityCheck:
    """Runs the caller's expectations on the caller's frame."""

    name: str = "data_quality"

    def run(self, given: AuditInput) -> CheckResult:
        """Runs the suite.

        Args:
            given: What there is to look at.

        Returns:
            Nothing without a frame; else a finding per expectation.

        Raises:
            AuditsInputError: No expectation, or one of an unknown kind: an empty suite would pass anything.
            AuditsUnavailableError: The database or its table cannot be read.
        """
        quality = given.data_quality
        if quality is None:
            return CheckResult(findings=())
        results, rows = _run(quality)
        findings = tuple(
            _finding(number, e, r)
            for number, (e, r) in enumerate(zip(quality.expectations, results, strict=True))
        )
        return CheckResult(
            findings=findings,
            data_quality=DataQualityFacts(quality.suite, rows, tuple(results)),
        )


def run_suite(quality: DataQuality) -> list[ExpectationResult]:
    """Runs a suite in a context that lives in memory only, silently, and keeps booleans only.

    Args:
        quality: Frame and expectations.

    Returns:
        One result per expectation, in the order given.

    Raises:
        AuditsInputError: No expectation, or one of an unknown kind.
        AuditsUnavailableError: The database or its table cannot be read.
    """
    return _run(quality)[0]


def _run(quality: DataQuality) -> tuple[list[ExpectationResult], int]:
    """The results, and how many rows there are."""
    if not quality.expectations:
        raise AuditsInputError(
            "a data quality suite without an expectation", "say what the rows are expected to meet"
        )
    for expectation in quality.expectations:
        if expectation.kind not in GX_NAMES:
            raise AuditsInputError(
                f"expectation of kind {expectation.kind!r}; expected one of {', '.join(GX_NAMES)}",
                "correct the kind",
            )
    # Imported here: 4 to 8 seconds that an audit without rows to check should not pay (shared facts, section 1).
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # marshmallow's and pydantic's deprecations are not the auditor's business
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        batch = _batch(context, quality)
        suite = gx.ExpectationSuite(
            name=quality.suite or "rows",
            expectations=[_gx(gx.expectations, e, number) for number, e in enumerate(quality.expectations)],
        )
        outcome = batch.validate(suite, result_format={"result_format": "BOOLEAN_ONLY"})
        rows = _rows(batch, quality)
    # great-expectations may give results back in another order: each is found by the number it was sent with.
    by_number = {int(r.expectation_config.meta["number"]): r for r in outcome.results}
    return [_result(e, by_number.get(number)) for number, e in enumerate(quality.expectations)], rows


def _batch(context: Any, quality: DataQuality) -> Any:
    name, source = quality.suite or "rows", quality.frame
    if not isinstance(source, SqlTable):
        asset = context.data_sources.add_pandas("audit").add_dataframe_asset(name)
        return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": source})
    try:
        # Nothing is written: without this great-expectations may make temporary tables of people's rows.
        database = context.data_sources.add_sql(
            "audit", connection_string=source.url, create_temp_table=False
        )
        asset = database.add_table_asset(name, table_name=source.table, schema_name=source.schema or None)
        return asset.add_batch_definition_whole_table("all").get_batch()
    except ConnectionError:
        # Not chained: its text holds the URL, and with it perhaps a password.
        raise AuditsUnavailableError(
            f"the table {source.table!r} cannot be read: no such table, no access, or no database there",
            "check the URL, the table's name and the user's rights (SELECT is enough)",
        ) from None


def _rows(batch: Any, quality: DataQuality) -> int:
    if not isinstance(quality.frame, SqlTable):
        return len(quality.frame)
    from great_expectations.metrics.batch.row_count import BatchRowCount  # noqa: PLC0415  as above

    return int(batch.compute_metrics(BatchRowCount()).value)


def _gx(expectations: Any, e: Expectation, number: int) -> Any:
    arguments: dict[str, Any] = {"meta": {"number": number}}
    if e.kind != "row_count":
        arguments["column"] = e.column
    if e.kind in {"between", "row_count"}:
        arguments |= {"min_value": e.minimum, "max_value": e.maximum}
    if e.kind == "in_set":
        arguments["value_set"] = list(e.allowed)
    if e.kind in {"not_null", "between", "in_set", "unique"}:
        arguments["mostly"] = e.mostly
    return getattr(expectations, GX_NAMES[e.kind])(**arguments)


def _result(e: Expectation, raw: Any) -> ExpectationResult:
    broken = raw is None or bool(raw.exception_info.get("raised_exception", False)) or _nested_exception(raw)
    return ExpectationResult(GX_NAMES[e.kind], e.column, say(e), None if broken else bool(raw.success))


def _nested_exception(raw: Any) -> bool:
    return any(isinstance(v, dict) and v.get("raised_exception") for v in raw.exception_info.values())


def say(e: Expectation) -> str:
    """Writes an expectation in plain words.

    Args:
        e: The expectation.

    Returns:
        A sentence without a full stop.
    """
    bounds = [
        f"{word} {v:g}" for word, v in (("at least", e.minimum), ("at most", e.maximum)) if v is not None
    ]
    between = " and ".join(bounds) or "any number"
    share = "" if e.mostly >= 1 else f" in at least {e.mostly:.1%} of rows"
    return {
        "not_null": f"{e.column} is filled in{share}",
        "between": f"{e.column} is {between}{share}",
        "in_set": f"{e.column} is one of {', '.join(map(str, e.allowed))}{share}",
        "unique": f"{e.column} is different in every row",
        "exists": f"there is a column {e.column}",
        "row_count": f"the number of rows is {between}",
    }[e.kind]


def _finding(number: int, e: Expectation, r: ExpectationResult) -> Finding:
    outcome = Outcome.COULD_NOT_RUN if r.met is None else Outcome.PASSED if r.met else Outcome.FAILED
    tail = {
        Outcome.PASSED: "It is so.",
        Outcome.FAILED: "It is not so.",
        Outcome.COULD_NOT_RUN: "It could not be checked.",
    }
    return Finding(
        code=f"data_quality.{e.kind}:{e.column or 'rows'}#{number}",
        check="data_quality",
        metric=e.kind,
        role=e.role or Role.SCREENS,
        outcome=outcome,
        message=f"Expected: {r.says}. {tail[outcome]}",
        tool=TOOL,
        version=version(TOOL),
        why=e.why,
    )
