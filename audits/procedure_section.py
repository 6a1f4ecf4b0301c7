"""The section on the procedure: which models gave the scores."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from audits.page_section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "procedure": "Which models gave the scores",
        "procedure_folds": "Everyone was scored by a model that had not seen them. What is deployed is the model fitted on everybody, {refit}. Scores of different models are compared as quantiles of each model's own training scores.",
        "procedure_agree": "Rank correlation with the deployed model: {correlation}.",
        "procedure_sets": "The model learnt from {train} people or families, was tuned on {tune} and is audited on {audit}; none is in two of the sets.",
        "procedure_model": "Model",
        "procedure_taught": "Learnt from",
        "procedure_scored": "Scored",
        "procedure_above": "At or above its own threshold",
        "title_procedure.refit_agreement": "The deployed model and those audited",
        "title_procedure.three_sets": "Train, tune and audit",
    }
)

SECTION: Final = Section(
    "procedure",
    "procedure",
    "procedure.html.jinja",
    shown=lambda report: report.procedure is not None,
    texts={"en": EN},
)
