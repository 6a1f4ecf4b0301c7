"""`luvalla status`: facts first, lines from the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from governance.promotion import CHAMPION
from governance.standing import standing

if TYPE_CHECKING:
    from governance.house import House


def of(house: House) -> dict[str, Any]:
    """What there is to say: the ledger's head, and each version with its step and what it waits for."""
    head = house.ledger.head()
    versions = []
    champions: dict[str, str | None] = {}
    for case in house.cases.all():
        if case.name not in champions:
            champions[case.name] = house.registry.alias(case.name, CHAMPION)
        found = standing(house, case, champions[case.name])
        versions.append(
            {
                "service": case.service,
                "version": case.version,
                "recipe": case.recipe,
                "step": str(found.step),
                "waits_for": found.waits_for,
                "reasons": list(found.reasons),
                "expires": found.expires,
            }
        )
    signed = head.checkpoint
    policy = house.policy()
    return {
        "home": str(house.home.path),
        "origin": house.ledger.origin,
        "ledger": {
            "size": head.size,
            "root": head.root.hex(),
            "signed": None if signed is None else signed.size,
        },
        "policy": {"name": policy.name, "version": policy.version, "digest": policy.digest},
        "board": {
            "serving": len([m for m in house.members() if m.signs_at(house.clock())]),
            "quorum": house.trust_root.quorum,
        },
        "versions": versions,
    }


def lines(document: dict[str, Any]) -> list[str]:
    """The same for people."""
    ledger, board = document["ledger"], document["board"]
    signed = (
        "its signed checkpoint is missing"
        if ledger["signed"] is None
        else f"signed up to {ledger['signed']:,}"
    )
    told = [
        f"home    {document['home']}",
        f"ledger  {document['origin']}: {ledger['size']:,} entries, {signed}; root {ledger['root'][:16]}",
        f"policy  {document['policy']['name']} {document['policy']['version']}",
        f"board   {board['serving']} serving, quorum {board['quorum']}",
    ]
    if not document["versions"]:
        told.append("no versions yet: `luvalla models list`, then `luvalla models train`")
    for version in document["versions"]:
        told.append(
            f"{version['service']} version {version['version']} ({version['recipe']}): {version['step']}"
        )
        if version["expires"]:
            told.append(f"  until {version['expires']}")
        if version["waits_for"]:
            told.append(f"  waits for {version['waits_for']}")
        told += [f"  {reason}" for reason in version["reasons"][:3]]
    return told
