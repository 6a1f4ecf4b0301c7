"""The demo's text, written from what happened: each function takes a scene's facts and returns lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits import wording
from audits.lines import COULD_DECIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from governance.demo_stage import Scene

_OUTCOMES = {
    "passed": "passed",
    "failed": "FAILED",
    "not_enough_evidence": "not enough evidence",
    "refused": "refused",
}
_METRICS = {
    "tpr_gap": "found, of those in need",
    "selection_ratio": "offers made",
    "observed_expected": "need, against predicted",
    "levelling_down": "missed, against version 1",
    "ppv_gap": "wasted contact",
}


def lines(scene: Scene) -> list[str]:
    """The scene as lines of text: a heading begins with "# ", an aside with "~ "."""
    told = _TELL[scene.name](scene.facts)
    return [*told, *([f"~ ({scene.played})"] if scene.played else [])]


def _house(f: dict[str, Any]) -> list[str]:
    board = ", ".join(f"{m['name'].partition(' (')[0]} ({m['role'].replace('-', ' ')})" for m in f["board"])
    return [
        "# A home of one's own",
        f"Keys, ledger, policy {f['policy']['name']} {f['policy']['version']} and MLflow store lie in {f['home']}.",
        f"  {f['policy']['title']}.",
        f"Everything that proves something later starts from this digest: {f['trust_root']}",
        f"The ethics board: {board}; quorum {f['quorum']}.",
    ]


def _consents(f: dict[str, Any]) -> list[str]:
    told = ["# People are asked", f"Rows: {f['source']}"]
    told += [
        f"  {a['purpose']}: {a['people']:,} people asked; {a['given']:,} yes, {a['refused']:,} no, "
        f"{a['withdrawn']:,} yes and then withdrawn, {a['silent']:,} no answer"
        for a in f["asked"]
    ]
    return [*told, f"The ledger holds {f['ledger_size']:,} entries; its head is signed."]


def _gate(f: dict[str, Any]) -> list[str]:
    left = ", ".join(f"{n:,} {reason.replace('-', ' ')}" for reason, n in f["left_out"].items() if n)
    told = [
        f"# Version {f['version']} of {f['service']} goes to the gate: {f['recipe']}",
        f["description"],
        f"Trained on {f['trained_on']:,} consenting people" + (f"; left out: {left}." if left else "."),
        *[f"  Note: {note}" for note in f["notes"]],
    ]
    told += _lines(f["lines"])
    told += _price(f["price"], f["compared"])
    verdict = _OUTCOMES[f["gate"]]
    if f["gate"] == "not_enough_evidence" and f["acceptable"]:
        verdict += ", leaning for: the board may accept it with a condition and an expiry"
    told += _chance(f["chance"])
    told.append(f"The gate: {verdict}.")
    if not f["acceptable"]:
        told.append(f"  because {f['why_not'][0]}")
        if len(f["why_not"]) > 1:
            told.append(f"  and {len(f['why_not']) - 1} more reasons, in the report")
    return told


def _chance(chance: float | None) -> list[str]:
    """What the audit could have said at all, where it could hardly have said yes."""
    if chance is None or chance >= COULD_DECIDE:
        return []
    return [
        f"  This audit could not decide: a model alike in every group would have passed it {wording.chance(chance)} of the time."
    ]


def _lines(lines: list[dict[str, Any]]) -> list[str]:
    """The lines that did not pass, one by one; how many passed, and how many do not apply."""
    passed = sum(line["outcome"] == "passed" for line in lines)
    idle = sum(line["outcome"] == "not_applicable" for line in lines)
    told = [_line(line) for line in lines if line["outcome"] not in {"passed", "not_applicable"}]
    aside = f", {idle} do not apply" if idle else ""
    return [
        f"  Of {len(lines)} deciding lines {passed} passed{aside}" + ("; the others:" if told else "."),
        *told,
    ]


def _line(line: dict[str, Any]) -> str:
    outcome = _OUTCOMES.get(line["outcome"], line["outcome"])
    if line.get("line") is None:
        return f"  {outcome}: no finding for this line"
    group = f"{line['attribute']} {line['group']}" if line["group"] else "everyone"
    measured = _METRICS.get(line["metric"], line["metric"])
    if line["estimate"] is None:
        return f"  {measured:<25} {group:<16} {outcome}"
    numbers = f"{line['estimate']:+.2f}" if line["scale"] == "difference" else f"{line['estimate']:.2f}"
    interval = (
        "" if line["low"] is None or line["high"] is None else f" ({line['low']:.2f} to {line['high']:.2f})"
    )
    limit = "" if line["limit"] is None else f", limit {line['limit']:.2f}"
    leaning = f", leaning {line['leaning']}" if line["leaning"] else ""
    few = ", too few people to judge" if line.get("too_few") else ""
    return f"  {measured:<25} {group:<16} {numbers}{interval}{limit}: {outcome}{leaning}{few}"


def _price(rows: list[dict[str, Any]], compared: list[str]) -> list[str]:
    """Everyone, and the groups that the policy decides on; the others stand in the report."""
    told = []
    for row in rows:
        if row["in_need"] < 20 or row["attribute"] not in {"", *compared}:  # noqa: PLR2004 - the policy's 20 events
            continue
        group = f"{row['attribute']} {row['group']}" if row["group"] else "everyone in need"
        before, now = row["found_before"] / row["in_need"], row["found_now"] / row["in_need"]
        told.append(f"    {group:<22} found {before:.0%} -> {now:.0%}  ({row['in_need']:,} in need)")
    return (
        ["  What it changes, against version 1 at the same number of offers, for people in need:", *told]
        if told
        else []
    )


def _board(f: dict[str, Any]) -> list[str]:
    told = [f"# The board decides on version {f['version']}"]
    for vote in f["votes"]:
        told.append(f"  {vote['member'].capitalize()} votes {vote['choice']}: {vote['reasons']}")
        told += [f"    on the condition: {condition}" for condition in vote["conditions"]]
    told.append(f"The board: {f['outcome'].replace('-', ' ')}.")
    if "certificate" in f:
        told.append(
            f"Certificate {f['certificate'][:19]}... stands in the ledger as entry {f['index']:,}, valid until {f['expires']}."
        )
    return told + [f"  because {reason}" for reason in f.get("reasons", [])]


def _stop(f: dict[str, Any]) -> list[str]:
    return [
        "# The story ends here",
        f"No version of {f['service']} may be put to the board. Nothing runs, and that is the promise kept.",
    ]


def _run(f: dict[str, Any]) -> list[str]:
    left = [f"    {n:,} {reason.replace('-', ' ')}" for reason, n in f["left_out"].items() if n]
    return [
        f"# The run ({f['name'].replace('-', ' ')}, version {f['version']})",
        f"  {f['people']:,} people in the file, {f['scored']:,} said yes and were scored; left out, unread by the model:",
        *left,
        f"  {f['selected']:,} offers; {f['sampled']:,} of those not selected were drawn for a human to look at.",
        f"  Recorded as entry {f['index']:,} before anything left: {f['out']}",
    ]


def _run_refused(f: dict[str, Any]) -> list[str]:
    return [f"# The run refuses ({f['check']}): {f['reason']}", f"  Way out: {f['way_out']}"]


def _citizen(f: dict[str, Any]) -> list[str]:
    told = ["# One citizen looks"]
    for use in f["uses"]:
        model = f" by {use['model']}" if use["model"] else ""
        told.append(
            f"  {use['at']}  {use['controller']}: {use['purpose']}; {use['processing']}{model}, basis {use['basis']}: {use['status']}"
        )
    told += ["  Why:", *[f"    {sentence}" for sentence in f["why"]]]
    told += [f"  A receipt, checked with the trust root alone: {f['receipt']}"]
    told += [f"    proved: {item}" for item in f["proved"] if "this person" in item]
    told += [
        f"    and {len(f['proved']) - 1} more sentences that are proved, {len(f['not_proved'])} that are not:"
    ]
    told += [
        f"    not proved: {item}"
        for item in f["not_proved"]
        if "outside the log" in item or "same log" in item
    ]
    told += ["    (all of them: luvalla verify)"]
    if f["flipped"]:
        told.append(f"  The same receipt with its result changed is refused: {f['flipped']}")
    return told


def _withdrawal(f: dict[str, Any]) -> list[str]:
    return [
        "# The citizen withdraws",
        f"  Recorded as entry {f['index']:,}, by the same one step as the yes.",
    ]


def _left_out(f: dict[str, Any]) -> list[str]:
    return [
        f"  The citizen's own list now says of that run: {f['status'].replace('-', ' ')} ({f['reason'] or 'in the run'})."
    ]


def _tampered_ledger(f: dict[str, Any]) -> list[str]:
    told = [f"# Somebody changes one byte of the ledger (entry {f['changed']:,})"]
    told += [
        f"  the check finds: {fault['table']} {fault['key']}: {fault['what']}" for fault in f["faults"][:3]
    ]
    if len(f["faults"]) > 3:  # noqa: PLR2004
        told.append(f"  and {len(f['faults']) - 3} faults that follow from it")
    if not f["found"]:
        told.append("  IT WAS NOT FOUND")
    return [*told, f"  The byte is put back: {f['faults_after'] or 'no'} faults."]


def _tampered_model(f: dict[str, Any]) -> list[str]:
    told = [f"# Somebody changes one byte of the model ({f['file']})"]
    if f["ran"]:
        return [*told, "  IT RAN ALL THE SAME"]
    return [*told, f"  The run refuses ({f['check']}): {f['reason']}", "  The byte is put back."]


def _comparison(f: dict[str, Any]) -> list[str]:
    told = [f"# What else was tried for {f['service']}: of those in need, how many each way would find"]
    names = [f"{g['group']}" for g in f["outcomes"][0]["groups"]]
    told.append(f"  {'':<44}{'offers':>8}" + "".join(f"{name[:10]:>11}" for name in names))
    for outcome in f["outcomes"]:
        shares = "".join(f"{_share(g):>11}" for g in outcome["groups"])
        mark = "" if outcome["promotable"] else " *"
        told.append(f"  {outcome['option']['title'] + mark:<44}{outcome['selected']:>8.0%}{shares}")
    if any(not outcome["promotable"] for outcome in f["outcomes"]):
        told.append(
            "  * a comparison only: it treats the same facts differently by group and decides by lot; it is never promoted"
        )
    return told


def _share(group: dict[str, Any]) -> str:
    if group["in_need"] < 20:  # noqa: PLR2004 - the policy's 20 events
        return "too few"
    return f"{group['found'] / group['in_need']:.0%}"


def _files(f: dict[str, Any]) -> list[str]:
    return ["# Open these", *[f"  {path}  {what}" for what, path in f["files"].items()]]


_TELL: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "house": _house,
    "consents": _consents,
    "gate": _gate,
    "board": _board,
    "stop": _stop,
    "run": _run,
    "run-refused": _run_refused,
    "citizen": _citizen,
    "withdrawal": _withdrawal,
    "left-out": _left_out,
    "tampered-ledger": _tampered_ledger,
    "tampered-model": _tampered_model,
    "comparison": _comparison,
    "files": _files,
}
