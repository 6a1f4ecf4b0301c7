"""The model card of a version: facts in, Markdown or JSON out. Figures come from the caller; none is computed here.

Follows Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596), and what Annex IV of the EU
AI Act asks to be written down: purpose, data, training, performance, limits, oversight.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.service import Service


@dataclass(frozen=True)
class Card:
    """What a reader of a model card is told.

    Args:
        service: The service it is a version of.
        name: Registered model.
        version: Its version.
        digest: Digest of the artifact.
        recipe: Name of its recipe.
        metrics: Figures by name, as logged.
        data_digest: Digest of the rows it was trained on.
        notes: What happened in training that a reader must know.
        audit: One line per finding of the audit, in words; empty when it was not audited.
        decision: What the board decided, in words; empty when it has not.
    """

    service: Service
    name: str
    version: str
    digest: str
    recipe: str
    metrics: Mapping[str, float]
    data_digest: str
    notes: tuple[str, ...] = ()
    audit: tuple[str, ...] = field(default=())
    decision: str = ""


def document(card: Card) -> dict[str, Any]:
    """The card as JSON values."""
    service = card.service
    recipe = service.recipes.get(card.recipe)
    return {
        "model": {"name": card.name, "version": card.version, "digest": card.digest},
        "service": {"id": service.id, "title": dict(service.title), "kind": service.kind},
        "intended_use": service.description["en"],
        "not_intended_for": "Deciding anything about a person. It proposes whom to make an offer to; a person reviews it.",
        "recipe": {
            "name": card.recipe,
            "description": recipe.description if recipe else "",
            "target": recipe.target if recipe else "",
            "family": recipe.family if recipe else "",
            "mitigation": recipe.mitigation if recipe else None,
        },
        "capacity": service.capacity,
        "need": {"description": service.need.description["en"], "rule": service.need.rule},
        "features": {name: service.feature_texts[name]["en"] for name in service.features},
        "sensitive_features": {
            "audited": list(service.sensitive_features),
            "used_at_scoring": list(service.correction_features),
            "also_a_feature": dict(service.sensitive_as_feature),
        },
        "data": {
            "source": service.source,
            "digest": card.data_digest,
            "contract_digest": service.contract_digest(),
            "simulated": list(service.simulated),
        },
        "metrics": {name: float(value) for name, value in sorted(card.metrics.items())},
        "notes": list(card.notes),
        "audit": list(card.audit),
        "decision": card.decision,
    }


def to_json(card: Card) -> str:
    """The card as JSON text, the same for the same card."""
    return json.dumps(document(card), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def to_markdown(card: Card) -> str:
    """The card as a page of Markdown."""
    facts = document(card)
    recipe = facts["recipe"]
    lines = [
        f"# Model card: {facts['service']['title']['en']}",
        "",
        f"`{card.name}` version {card.version}, `{card.digest}`",
        "",
        "## What it is for",
        facts["intended_use"],
        "",
        f"**Not for:** {facts['not_intended_for']}",
        "",
        "## What it learned",
        f"Recipe `{recipe['name']}`: {recipe['description']}",
        "",
        f"- need, declared before any score was seen: {facts['need']['description']} (`{facts['need']['rule']}`)",
        f"- reaches {facts['capacity']:.0%} of people",
        f"- rows: `{card.data_digest}`",
        *(f"- {note}" for note in card.notes),
        "",
        "## What it looks at",
        *(f"- `{name}`: {text}" for name, text in facts["features"].items()),
        "",
        f"The audit groups people by {', '.join(facts['sensitive_features']['audited'])}. {card.service.sensitive_use()}",
        "",
        "## Data",
        facts["data"]["source"] or "No source declared.",
        *(f"- {text}" for text in facts["data"]["simulated"]),
        "",
        "## Figures",
        *([f"- {name}: {value:.4g}" for name, value in facts["metrics"].items()] or ["None logged."]),
        "",
        "## Audit",
        *([f"- {line}" for line in card.audit] or ["Not audited."]),
        "",
        "## Decision",
        card.decision or "None yet: it must not run.",
        "",
    ]
    return "\n".join(lines)
