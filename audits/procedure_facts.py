"""What a report says of how scores came to be: which models gave them, and how far the deployed one orders people alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FoldModel:
    """One fold of a cross-fit.

    Args:
        digest: ``sha256:...`` of the model that scored it.
        trained_on: Rows that it learnt from.
        scored: Rows of the fold.
        above: Share of the fold at or above the model's own training quantile of the capacity: whom its own threshold would
            select; None where no capacity is given.
    """

    digest: str
    trained_on: int
    scored: int
    above: float | None


@dataclass(frozen=True)
class ProcedureFacts:
    """The report's section on the procedure.

    Args:
        folds: The folds' models, in the folds' order; empty where rows were held out.
        refit: ``sha256:...`` of the model fitted on everybody, taken as the folds' are; "" where rows were held out.
        correlation: Spearman's rank correlation of the fold scores, each as a quantile of its own model's training scores, with
            the refit's; None where one of the two is constant, or rows were held out.
        train: Units (people or families) in each set, where rows were held out; None elsewhere.
        tune: The same.
        audit: The same.
    """

    folds: tuple[FoldModel, ...] = ()
    refit: str = ""
    correlation: float | None = None
    train: int | None = None
    tune: int | None = None
    audit: int | None = None
