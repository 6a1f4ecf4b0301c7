"""`luvalla audits run --predictions FILE`: a model of any framework, by what it predicted. No register, ledger or home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits import counts_command, lines_file, prediction_file, runner, selection
from audits.check import Baseline
from audits.errors import AuditsInputError
from audits.finding import Outcome
from audits.sections import ReportSubject

if TYPE_CHECKING:
    from pathlib import Path

    from audits.prediction_file import Columns
    from audits.report import AuditReport

AS_GIVEN = (
    "How these predictions came to be: whether the model had seen these people in training is not in the file. Predictions for "
    "people it was trained on look better than they are."
)


@dataclass(frozen=True)
class Wanted:
    """What was asked on the command line, beside what to write.

    Args:
        predictions: File of predictions.
        columns: Which column is what.
        threshold: Scores from this one on are selected; None: by prediction or capacity.
        capacity: Share of people that can be selected; None: by prediction or threshold.
        title: What is audited, in plain words.
        unknowns: What the caller knows that the file cannot tell.
        lines: File of lines; None: luvalla's starting point for an offer of help.
    """

    predictions: Path
    columns: Columns
    threshold: float | None
    capacity: float | None
    title: str
    unknowns: tuple[str, ...]
    lines: Path | None


def run(wanted: Wanted, output: counts_command.Output) -> int:
    """Audits predictions and says what was found.

    Args:
        wanted: What was asked.
        output: What to write and how to say it.

    Returns:
        Exit code: 0 if the verdict is passed, else 1 (failed, or not enough evidence).

    Raises:
        AuditsInputError: The file or the lines cannot be read, columns do not fit, a file is already there.
        AuditsUnavailableError: A file cannot be written.
    """
    counts_command.refuse(output)
    found = audit_file(wanted)
    counts_command.deliver(found, output, drawn=wanted.lines is not None)
    return 0 if found.verdict.outcome is Outcome.PASSED else 1


def audit_file(wanted: Wanted) -> AuditReport:
    """Audits a file of predictions.

    Args:
        wanted: What was asked.

    Returns:
        The report.

    Raises:
        AuditsInputError: As in `run`.
    """
    columns = wanted.columns
    lines = None if wanted.lines is None else lines_file.read(wanted.lines)
    if not columns.prediction and not columns.score:
        raise AuditsInputError(
            "no column of predictions was named", "add --prediction COLUMN, or --score COLUMN with --threshold or --capacity"
        )  # fmt: skip
    if columns.prediction and wanted.capacity is not None:
        raise AuditsInputError(
            "--prediction says who was selected, and --capacity would select anew", "give one of the two"
        )
    if not columns.score and wanted.threshold is not None:
        raise AuditsInputError("--threshold without --score", "add --score COLUMN")
    given = prediction_file.read(wanted.predictions, columns)
    score = given.numbers(columns.score) if columns.score else None
    unknowns = [AS_GIVEN, *wanted.unknowns]
    threshold = wanted.threshold
    if columns.prediction:
        predicted: Any = given.binary(columns.prediction)
        if score is not None and threshold is not None:
            at = selection.select(score, threshold=threshold, capacity=None)
            differ = int((at.y_pred != predicted.to_numpy()).sum())
            if differ:
                raise AuditsInputError(
                    f"{differ} of {len(predicted)} predictions are not what --threshold makes of the scores",
                    "audit the threshold that is deployed: leave out --prediction, or correct --threshold",
                )
    else:
        chosen = selection.select(score, threshold=threshold, capacity=wanted.capacity)  # type: ignore[arg-type]
        predicted, threshold = chosen.y_pred, chosen.threshold
        unknowns += [chosen.note] if chosen.note else []
    return runner.audit(
        given.binary(columns.outcome),
        predicted,
        sensitive_features=given.groups(columns.sensitive),
        lines=lines,
        y_score=score,
        threshold=threshold,
        other_needs={name: given.binary(name) for name in columns.other_needs},
        baseline=Baseline(given.binary(columns.baseline).to_numpy()) if columns.baseline else None,
        clusters=given.clusters(columns.cluster) if columns.cluster else None,
        subject=ReportSubject(
            title=wanted.title,
            need=columns.outcome.replace("_", " "),
            capacity=wanted.capacity,
            rows=f"A file of predictions, {len(given.frame):,} rows",
            rows_digest=given.digest,
        ),
        unknowns=tuple(unknowns),
    )
