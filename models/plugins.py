"""The services that are installed: entry points of the group ``luvalla.services``, ours and other packages'.

A plug-in that cannot be loaded is reported and leaves the others alone.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import metadata

from models.errors import UnknownServiceError
from models.service import Service

GROUP = "luvalla.services"


@dataclass(frozen=True)
class BrokenPlugin:
    """An entry point that gave no service.

    Args:
        name: The entry point's name: the id the service would have.
        distribution: The package it comes from.
        reason: What happened, by kind of error; no traceback.
    """

    name: str
    distribution: str
    reason: str


def discover() -> tuple[dict[str, Service], tuple[BrokenPlugin, ...]]:
    """Every installed service by id, in the order of ids, and the plug-ins that gave none.

    A second plug-in of the same id is broken: the first by package name stays, with luvalla's own before all others.
    """
    found: dict[str, Service] = {}
    broken: list[BrokenPlugin] = []
    points = sorted(
        metadata.entry_points(group=GROUP),
        key=lambda point: (_owner(point) != "luvalla", _owner(point), point.name),
    )
    for point in points:
        try:
            value = point.load()
        except Exception as error:  # noqa: BLE001 - a stranger's module may fail in any way; the others must not
            broken.append(
                BrokenPlugin(
                    point.name, _owner(point), f"cannot be imported: {type(error).__name__}: {error}"
                )
            )
            continue
        if not isinstance(value, Service):
            broken.append(
                BrokenPlugin(
                    point.name,
                    _owner(point),
                    f"gave a {type(value).__name__}, a models.service.Service was expected",
                )
            )
        elif value.id != point.name:
            broken.append(
                BrokenPlugin(point.name, _owner(point), f"gave a service that calls itself '{value.id}'")
            )
        elif value.id in found:
            broken.append(BrokenPlugin(point.name, _owner(point), "the id is taken by another package"))
        else:
            found[value.id] = value
    return dict(sorted(found.items())), tuple(broken)


def services() -> dict[str, Service]:
    """Every installed service by id. Broken plug-ins are left out: see :func:`discover`."""
    return discover()[0]


def service(service_id: str) -> Service:
    """The service of that id.

    Raises:
        UnknownServiceError: None is installed under that id; the hint names the nearest, and a broken plug-in if it is one.
    """
    found, broken = discover()
    if service_id in found:
        return found[service_id]
    for plugin in broken:
        if plugin.name == service_id:
            raise UnknownServiceError(
                f"The service '{service_id}' of the package '{plugin.distribution}' is broken: {plugin.reason}.",
                "Mend or update that package.",
            )
    near = difflib.get_close_matches(service_id, found, n=1)
    raise UnknownServiceError(
        f"There is no service '{service_id}'.",
        f"Did you mean '{near[0]}'?" if near else f"Installed: {', '.join(found) or 'none'}.",
    )


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
