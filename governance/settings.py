"""luvalla.toml, read from LUVALLA_HOME only: one table per room, and an unknown key is an error with its nearest name."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from governance.errors import GovernanceInputError, GovernanceUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

# [consent] is read by consent/home.py, which knows its keys.
_TABLES: dict[str, frozenset[str] | None] = {
    "consent": None,
    "models": frozenset({"tracking_uri", "registry_uri"}),
    "audits": frozenset(),
    "governance": frozenset({"review_share", "owners", "ungoverned"}),
}


@dataclass(frozen=True)
class Settings:
    """What luvalla.toml says to models/ and governance/.

    Args:
        tracking_uri: MLflow tracking server; empty: the SQLite file of the home.
        registry_uri: MLflow registry; empty: the tracking server's.
        review_share: Share (0..1] of the people scored and not selected that is drawn for human review at every run. People
            who are not flagged are decided upon too (Finnish data protection ombudsman, 2022), so it is never 0.
        owners: Board-member ids of the people who own a service, by service id: they may not vote on it.
        ungoverned: Registered models whose alias is free, by name: none of a proactive service. Every other model is governed.
    """

    tracking_uri: str = ""
    registry_uri: str = ""
    review_share: float = 0.02
    owners: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ungoverned: tuple[str, ...] = ()

    def owned_by(self, service: str) -> tuple[str, ...]:
        """Who owns a service, by member id."""
        return dict(self.owners).get(service, ())


def read(path: Path) -> Settings:
    """Read the tables of luvalla.toml that are not consent's.

    Args:
        path: The file.

    Returns:
        The settings, with defaults where the file is silent.

    Raises:
        GovernanceUnavailableError: The file cannot be read.
        GovernanceInputError: It is not TOML, has an unknown table or key, or a value of the wrong type or range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise GovernanceUnavailableError(message, "check the file's owner and mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not TOML: {error}"
        raise GovernanceInputError(
            message, "correct the file, or restore what `luvalla init` wrote"
        ) from error
    for name, table in document.items():
        _known(name, _TABLES, f"table in {path}")
        keys = _TABLES[name]
        if not isinstance(table, dict):
            message = f"{path}: expected a table [{name}], got a single value"
            raise GovernanceInputError(message, f"write [{name}] on a line of its own, its keys below")
        for key in table if keys is not None else ():
            _known(key, keys or (), f"key in [{name}] of {path}")
    models, governance = document.get("models", {}), document.get("governance", {})
    return Settings(
        tracking_uri=_text(models, "tracking_uri", path),
        registry_uri=_text(models, "registry_uri", path),
        review_share=_share(governance, path),
        owners=_owners(governance, path),
        ungoverned=_ungoverned(governance, path),
    )


def _known(name: str, known: Any, what: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, list(known), n=1)
    message = f"unknown {what}: '{name}'"
    raise GovernanceInputError(
        message, f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    )


def _text(table: dict[str, Any], key: str, path: Path) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        message = f"{path}: expected a text under '{key}', got {type(value).__name__}"
        raise GovernanceInputError(message, 'write it in quotes: key = "..."')
    return value


def _share(table: dict[str, Any], path: Path) -> float:
    value = table.get("review_share", Settings.review_share)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        message = f"{path}: expected 'review_share' to be a number above 0 and at most 1"
        raise GovernanceInputError(message, "0.02 draws two of a hundred people who were not selected")
    return float(value)


def _owners(table: dict[str, Any], path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    value = table.get("owners", {})
    ok = isinstance(value, dict) and all(
        isinstance(ids, list) and all(isinstance(one, str) for one in ids) for ids in value.values()
    )
    if not ok:
        message = f"{path}: expected 'owners' to be a table of service id = list of member ids"
        raise GovernanceInputError(message, '[governance.owners] then health-benefit = ["aino"]')
    return tuple((service, tuple(ids)) for service, ids in sorted(value.items()))


def _ungoverned(table: dict[str, Any], path: Path) -> tuple[str, ...]:
    value = table.get("ungoverned", [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        message = f"{path}: expected 'ungoverned' to be a list of registered models' names"
        raise GovernanceInputError(message, 'ungoverned = ["churn-experiment"]')
    return tuple(value)
