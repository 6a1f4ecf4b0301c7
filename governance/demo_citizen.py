"""The demo's second half: one citizen looks, proves, withdraws; then somebody tampers, and it is found."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from consent.explained import answer_why
from consent.tlog.verify import VerificationError, verify_receipt
from consent.vocabulary import ConsentStatus, UseStatus
from governance import demo_people
from governance.demo import run_it
from governance.demo_stage import Scene
from governance.run import RunDone, RunRefused, run
from models import artifact, population

if TYPE_CHECKING:
    from pathlib import Path

    from consent.uses import UseView
    from governance.demo_stage import Rows, Stage
    from governance.house import House
    from models.service import Service


def citizen_looks(stage: Stage, house: House, service: Service, rows: Rows, done: RunDone) -> str:
    """One selected person asks what was done and why, gets a receipt, and checks it away from the ledger. Returns who."""
    person = _a_selected_person(house, service, rows, done)
    uses = house.ledger.uses(person)
    why, _ = answer_why(house.ledger, person, done.run, "en")
    receipt = json.dumps(house.ledger.use_receipt(person, done.run), ensure_ascii=False, indent=1).encode()
    path = stage.folder / "receipt.json"
    path.write_bytes(receipt)
    trust_root = house.home.trust_root.read_bytes()
    pin = house.trust_root.pin
    proved = verify_receipt(receipt, trust_root, pin)
    facts = {
        "uses": [_use(use) for use in uses],
        "why": [reason.sentence for reason in why.strongest],
        "receipt": str(path),
        "proved": list(proved.proved),
        "not_proved": list(proved.not_proved),
        "flipped": _flipped(receipt, trust_root, pin),
    }
    stage.tell(Scene("citizen", facts, demo_people.INVENTED))
    return person


def citizen_withdraws(stage: Stage, house: House, service: Service, rows: Rows, person: str) -> None:
    """The same person withdraws; the next run leaves them out, and they can see that."""
    ref = house.ledger.record_consent(
        person, service.purposes.offer, ConsentStatus.WITHDRAWN, language="fi", method="played by the demo"
    )
    stage.tell(Scene("withdrawal", {"index": getattr(ref, "index", None), "purpose": service.purposes.offer}))
    second = run_it(stage, house, service, rows, "second-run")
    if isinstance(second, RunDone):
        last = next(use for use in house.ledger.uses(person) if use.run == second.run)
        facts = {"status": last.status.word, "reason": last.left_out_reason, "run": second.run.hex()}
        stage.tell(Scene("left-out", facts))


def ledger_is_changed(stage: Stage, house: House) -> None:
    """One byte of an entry changes in the database file; the check says which entry; the byte is put back."""
    index = house.ledger.head().size // 2
    stage.busy("changing one byte of the ledger, and checking all of it")
    _flip_entry(house.home.database, index)
    faults = house.ledger.check()
    _flip_entry(house.home.database, index)
    facts = {
        "changed": index,
        "faults": [{"table": f.table, "key": f.key, "index": f.index, "what": f.what} for f in faults],
        "found": any(fault.index == index for fault in faults),
        "faults_after": len(house.ledger.check()),
    }
    stage.tell(Scene("tampered-ledger", facts))


def model_is_changed(stage: Stage, house: House, service: Service, rows: Rows, digest: str) -> None:
    """One byte of the champion's model file changes; the run refuses; the byte is put back."""
    stage.busy("changing one byte of the champion's model file")
    file = _model_file(house.home.path / "mlflow" / "artifacts", digest)
    people = population.load(rows.run, service, outcome=False)
    out = stage.folder / "offers" / "never.jsonl"
    original = file.read_bytes()
    file.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    try:
        refused = run(house, service, people, out, chance=stage.chance("never"))
    finally:
        file.write_bytes(original)
    facts: dict[str, Any] = {"file": file.name, "ran": isinstance(refused, RunDone), "released": out.exists()}
    if isinstance(refused, RunRefused):
        facts |= {"check": refused.check, "reason": refused.reason}
    stage.tell(Scene("tampered-model", facts))


def _a_selected_person(house: House, service: Service, rows: Rows, done: RunDone) -> str:
    """The first person of the file whom the run selected; else the first whom it used."""
    people = population.load(rows.run, service, outcome=False).frame[service.person_column].tolist()
    fallback = people[0]
    for person in people:
        use = next((use for use in house.ledger.uses(person) if use.run == done.run), None)
        if use is not None and use.status is UseStatus.SELECTED:
            return str(person)
        if use is not None and use.status.used:
            fallback = person
    return str(fallback)


def _use(use: UseView) -> dict[str, Any]:
    return {
        "at": use.at.strftime("%Y-%m-%d %H:%M"),
        "controller": use.controller,
        "purpose": use.purpose_title["en"],
        "basis": use.basis,
        "processing": use.processing,
        "model": None if use.model is None else f"{use.model.name} version {use.model.version}",
        "status": use.status.word,
    }


def _flipped(receipt: bytes, trust_root: bytes, pin: str) -> str:
    """What the verifier says of the same receipt with its result changed."""
    document = json.loads(receipt)
    document["slot"]["status"] = 0
    try:
        verify_receipt(json.dumps(document).encode(), trust_root, pin)
    except VerificationError as error:
        return error.message
    return ""


def _flip_entry(database: Path, index: int) -> None:
    """Flip one bit of an entry's bytes, as somebody with the database's password could."""
    with sqlite3.connect(database) as connection:
        (body,) = connection.execute("SELECT body FROM entry WHERE idx = ?", (index,)).fetchone()
        middle = len(body) // 2
        changed = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        connection.execute("UPDATE entry SET body = ? WHERE idx = ?", (changed, index))
    connection.close()


def _model_file(artifacts: Path, digest: str) -> Path:
    """The model file of the artifact with this digest."""
    for description in sorted(artifacts.rglob("MLmodel")):
        folder = description.parent
        if artifact.digest(folder) == digest:
            return next(iter(sorted(folder.glob("*.skops"))))
    message = "the champion's artifact is not in the home"
    raise FileNotFoundError(message)
