"""Commands of this room that need no home. Only declarations are loaded: no pandas, scikit-learn, MLflow or shap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from models import plugins

if TYPE_CHECKING:
    from models.service import Service


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_services(as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """List the services, their recipes and what they need."""
    found, broken = plugins.discover()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "services": [_document(service) for service in found.values()],
                    "broken": [
                        {"name": each.name, "distribution": each.distribution, "reason": each.reason}
                        for each in broken
                    ],
                },
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        click.echo("\n\n".join(_page(service) for service in found.values()) or "No service is installed.")
    for each in broken:
        click.echo(
            f"warning: service '{each.name}' of '{each.distribution}' left out: {each.reason}", err=True
        )


def _document(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "title": dict(service.title),
        "kind": service.kind,
        "purposes": {"development": service.purposes.development, "offer": service.purposes.offer},
        "capacity": service.capacity,
        "need": {"column": service.need.column, "rule": service.need.rule},
        "features": list(service.features),
        "sensitive_features": list(service.sensitive_features),
        "recipes": [
            {
                "name": recipe.name,
                "target": recipe.target,
                "family": recipe.family,
                "mitigation": recipe.mitigation,
            }
            for recipe in service.recipes.values()
        ],
        "registered_model": service.registered_model,
        "contract_digest": service.contract_digest(),
        "source": service.source,
        "simulated": list(service.simulated),
    }


def _page(service: Service) -> str:
    width = max(len(name) for name in service.recipes)
    lines = [
        f"{service.id}: {service.title['en']} ({service.kind})",
        f"  reaches     {service.capacity:.0%} of people; need: {service.need.description['en']}",
        f"  asks for    {service.purposes.development} (training, audit), {service.purposes.offer} (offers)",
        f"  may use     {', '.join(service.features)}",
        f"  audited by  {', '.join(service.sensitive_features)}",
        "  recipes",
        *(f"    {recipe.name:<{width}}  {recipe.description}" for recipe in service.recipes.values()),
    ]
    return "\n".join(lines)
