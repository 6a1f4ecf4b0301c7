"""An export is complete, nobody else's, true to its schema, recorded with its digest, and the same again for the same request."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from consent import exporting
from consent.canonical import b64u, b64u_decode, commitment, decode, detail_digest, digest, encode
from consent.entries import PersonalEntry
from consent.errors import (
    BadRequestError,
    CheckpointStoreError,
    LedgerUnavailableError,
    RequestConflictError,
    UnknownPersonError,
)
from consent.exporting import ExportRequest
from consent.records import Representation
from consent.store import metadata, subject
from consent.tlog.proof import Proof
from consent.use_reading import open_statuses
from consent.use_values import CHUNK, positions
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, RetentionClass, Right, RightAnswer, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, OFFER, World, purposes_text, use_request

if TYPE_CHECKING:
    from consent.ledger import Ledger

S = ConsentStatus
ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "export.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
KEPT = b'{"c":[0.5],"s":0.61,"x":[3]}'


def export(ledger: Ledger, person: str, right: Right = Right.ACCESS, **more: Any) -> exporting.Export:
    """Make one, and hold it against its schema and its own digest."""
    made = exporting.make(ledger, ExportRequest(person, right, **more))
    VALIDATOR.validate(json.loads(json.dumps(made.document)))
    assert made.document["record"]["digest"] == made.digest
    if made.unchanged:
        assert digest(encode(made.document["content"])) == made.digest
    return made


def rows_of(ledger: Ledger, number: int, size: int) -> dict[str, set[Any]]:
    """What the tables hold about a number, in entries before a size: table to what must be found again."""
    found: dict[str, set[Any]] = {}
    with ledger.log.store.read() as connection:
        for name, table in metadata.tables.items():
            if "number" not in table.c:
                continue
            rows = connection.execute(select(table).where(table.c.number == number)).mappings().all()
            found[name] = {
                (row["idx"], row["name"])
                if name == "detail"
                else row["idx"]
                if "idx" in table.c
                else b64u(row["subject"])
                if name == "subject"
                else row["class"]
                if name == "subject_key"
                else row["run"]
                for row in rows
                if "idx" not in table.c or row["idx"] < size
            }
        runs = metadata.tables["use_run"]
        in_run, with_values = set(), set()
        enrolled = connection.scalar(select(subject.c.enrolled).where(subject.c.number == number))
        for name, into in (("use_chunk", in_run), ("use_values", with_values)):
            table = metadata.tables[name]
            query = select(table, runs.c.idx.label("at_index")).join(runs, runs.c.run == table.c.run)
            for row in connection.execute(query.where(table.c.chunk == number // CHUNK)).mappings():
                place = number % CHUNK
                if name == "use_chunk":
                    there = open_statuses(row["statuses"])[place] != UseStatus.NOT_IN_RUN
                else:
                    there = place in positions(row["lengths"])
                if there and enrolled < row["at_index"] < size:
                    into.add(b64u(row["run"]))
    return {**found, "use_chunk": in_run, "use_values": with_values}


def told_in(content: dict[str, Any]) -> dict[str, set[Any]]:
    """The same, from an export; a table that is not here is one that the export forgets."""
    return {
        "payload": {each["index"] for each in content["entries"]},
        "detail": {(each["index"], name) for each in content["entries"] for name in each["details"]},
        "subject": {content["person"]["subject"]},
        "subject_key": {
            RetentionClass(each["class"]).code for each in content["retention"] if each["key_kept"]
        },
        "erasure": set(),
        "consent_event": {each["index"] for each in content["consents"]},
        "limitation": {each["index"] for each in content["limitations"]},
        "use_chunk": {each["run"] for each in content["uses"]},
        "use_values": {each["run"] for each in content["uses"] if each["values_kept"]},
        "use_slot": set(),
    }


def act(ledger: Ledger, person: str, what: str, place: int) -> None:
    """One thing that may happen; what cannot follow changes nothing."""
    if what in ("give", "refuse", "withdraw", "renew"):
        status = {"give": S.GIVEN, "refuse": S.REFUSED, "withdraw": S.WITHDRAWN, "renew": S.RENEWED}[what]
        ledger.record_consent(person, OFFER, status, language=["fi", "sv", "en"][place % 3])
    elif what == "guardian":
        ledger.record_consent(
            person, DEVELOPMENT, S.GIVEN, given_by=GivenBy.GUARDIAN, own_say=OwnSay.AGREED,
            representation=Representation("guardian per population register", f"mandate-{person}"),
            signed_on=date(2026, 11, 1), majority=date(2030, 1, 1),
        )  # fmt: skip
    elif what == "object":
        ledger.record_right(person, Right.OBJECTION, ground=f"ground-{person}", processing=["scoring"])
    elif what == "lift":
        ledger.record_right(person, Right.OBJECTION_WITHDRAWN, ground="word")
    elif what == "export":
        if ledger.number_of(person) is not None:
            export(ledger, person, Right.PORTABILITY)
    elif what == "run":
        ledger.enrol(person)
        permitted = not hasattr(ledger.permit(person, OFFER, "scoring"), "status")
        status = UseStatus.SELECTED if permitted else UseStatus.NO_CONSENT
        values = [KEPT.replace(b"[3]", f'["{person}"]'.encode())] if permitted else [b""]
        ledger.append_use(use_request(ledger, {person: status}, values=values))


_fresh = count()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(
                ["give", "refuse", "withdraw", "renew", "guardian", "object", "lift", "export", "run", "give", "run"]
            ),
        ),
        max_size=14,
    )
)  # fmt: skip
def test_every_row_about_a_person_is_in_their_export_and_nobody_elses(ledger: Ledger, done) -> None:
    round_ = next(_fresh)
    people = [f"person-{round_}-{i}" for i in range(3)]
    for place, (who, what) in enumerate(done):
        act(ledger, people[who], what, place)
    known = [person for person in people if ledger.number_of(person) is not None]
    for person in known:
        size = ledger.head().size
        made = export(ledger, person)
        content = made.document["content"]
        assert (content["as_of"]["size"], content["person"]["number"]) == (size, ledger.number_of(person))
        assert told_in(content) == rows_of(ledger, ledger.number_of(person), size)
        assert [each["index"] for each in content["rights"]] == [
            each.index for each in ledger.rights_of(person) if each.index < size
        ]
        text = json.dumps(made.document)
        assert person not in text.replace(f"ground-{person}", "").replace(f"mandate-{person}", "").replace(
            f'[\\"{person}\\"]', ""
        )
        with ledger.log.store.read() as connection:
            others = [
                row.subject
                for row in connection.execute(select(subject))
                if row.subject is not None and row.number != content["person"]["number"]
            ]
        assert not any(b64u(other) in text for other in others)
        assert not any(other in text for other in people if other != person)
        for use in content["uses"]:
            assert use["values"] == (
                KEPT.replace(b"[3]", f'["{person}"]'.encode()).decode() if use["used"] else None
            )


def test_what_a_consent_rested_on_is_in_it_word_for_word(ledger: Ledger) -> None:
    act(ledger, "anna", "guardian", 0)
    ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
    content = export(ledger, "anna", language="en").document["content"]
    [consent] = content["consents"]
    assert consent["notice"]["text"] == "Saammeko? 1 ä"
    assert consent["notice"]["digest"] == digest("Saammeko? 1 ä".encode())
    assert consent["representation"]["reference"] == "mandate-anna"
    assert (consent["own_say"], consent["signed_on"]) == ("agreed", "2026-11-01")
    assert consent["status_words"] == "Consent given"
    versions = {(each["id"], each["version"]) for each in content["purposes"]}
    assert versions == {(DEVELOPMENT, 1), (OFFER, 2)}


def test_uses_say_result_reason_and_how_long_values_are_kept(ledger: Ledger, world: World) -> None:
    act(ledger, "anna", "give", 0)
    act(ledger, "anna", "run", 0)
    ledger.record_right("anna", Right.RESTRICTION, ground="eu-gdpr:A18")
    ledger.append_use(use_request(ledger, {"anna": UseStatus.RESTRICTED}))
    content = export(ledger, "anna", language="en").document["content"]
    used, left_out = content["uses"]
    assert (used["result"], used["values_until"]) == ("selected", "2026-12-24T08:00:00Z")
    assert used["why"]["contest"]
    assert (left_out["status"], left_out["values"]) == ("restricted", None)
    assert "restricted" in left_out["left_out_because"].lower()
    [state] = [each for each in content["states"] if each["purpose"] == OFFER]
    assert state["permit"] == {"human-review": "restricted", "scoring": "restricted"}
    world.clock.forward(days=31)
    ledger.purge_values()
    assert export(ledger, "anna").document["content"]["uses"][0]["values"] is None


def test_the_receipts_in_it_verify(ledger: Ledger, world: World) -> None:
    act(ledger, "anna", "give", 0)
    act(ledger, "anna", "run", 0)
    receipts = export(ledger, "anna").document["receipts"]
    assert [len(receipts["consents"]), len(receipts["uses"])] == [1, 1]
    for each in (*receipts["consents"], *receipts["uses"]):
        assert world.verify(each).pinned
    assert export(ledger, "anna", receipts=False).document["receipts"] is None


def test_the_log_commits_to_what_was_given(ledger: Ledger) -> None:
    act(ledger, "anna", "give", 0)
    made = export(ledger, "anna")
    opening = made.document["record"]["opening"]
    entry = PersonalEntry(
        commitment(ledger.origin, b64u_decode(opening["salt"]), opening["payload"].encode())
    )
    with ledger.log.store.read() as connection:
        table = metadata.tables["entry"]
        body = connection.scalar(select(table.c.body).where(table.c.idx == made.index))
    assert entry.encode() == bytes(body)
    payload, detail = decode(opening["payload"].encode()), opening["details"]["export"]
    assert payload["details"] == {
        "export": detail_digest(
            ledger.origin, "export", b64u_decode(detail["salt"]), detail["value"].encode()
        )
    }
    assert json.loads(detail["value"])["digest"] == made.digest
    assert Proof.parse(opening["proof"]).index == made.index
    assert made.digest.encode() not in body
    [again] = export(ledger, "anna").document["content"]["rights"]
    assert (again["right"], again["answer"], again["given"]["digest"]) == ("access", "granted", made.digest)


def test_portability_gives_what_the_person_provided_and_nothing_derived(ledger: Ledger) -> None:
    ledger.record_consent("anna", OFFER, S.REQUESTED)
    given_ = ledger.record_consent("anna", OFFER, S.GIVEN)
    ledger.record_consent("anna", OFFER, S.REVOKED, method="the service ended")
    act(ledger, "anna", "object", 0)
    act(ledger, "anna", "run", 0)
    ledger.record_right(
        "anna", Right.ERASURE_REFUSED, ground="eu-gdpr:A17-3-b", answer=RightAnswer.REFUSED, reason="law"
    )
    made = export(ledger, "anna", Right.PORTABILITY)
    content = made.document["content"]
    assert [each["index"] for each in content["consents"]] == [given_.index]
    assert [each["right"] for each in content["rights"]] == ["objection"]
    assert "uses" not in content
    assert made.document["receipts"] is None
    assert ledger.rights_of("anna")[-1].right is Right.PORTABILITY


def test_the_same_request_is_recorded_once_and_gives_the_same_content(ledger: Ledger, world: World) -> None:
    act(ledger, "anna", "give", 0)
    first = export(ledger, "anna", request_id="r")
    world.clock.forward(days=2)
    act(ledger, "anna", "withdraw", 0)
    ledger.adopt_purposes(purposes_text(version=2, notice_version=2))
    size = ledger.head().size
    again = export(ledger, "anna", request_id="r")
    assert (again.index, again.digest, again.replayed, again.unchanged) == (
        first.index, first.digest, True, True,
    )  # fmt: skip
    assert again.document["content"] == first.document["content"]
    assert ledger.head().size == size
    for other in ({"right": Right.PORTABILITY}, {"language": "sv"}):
        with pytest.raises(RequestConflictError):
            export(ledger, "anna", request_id="r", **other)
    with pytest.raises(RequestConflictError):
        exporting.make(ledger, ExportRequest("bo", request_id="r"))


def test_a_repeated_request_says_so_when_something_was_purged_since(ledger: Ledger, world: World) -> None:
    act(ledger, "anna", "give", 0)
    act(ledger, "anna", "run", 0)
    export(ledger, "anna", request_id="r")
    world.clock.forward(days=31)
    ledger.purge_values()
    again = export(ledger, "anna", request_id="r")
    assert (again.replayed, again.unchanged) == (True, False)


def test_failed_gives_nothing_and_writes_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    act(ledger, "anna", "give", 0)
    size = ledger.head().size

    def locked() -> None:
        raise LedgerUnavailableError("locked", "try again")

    monkeypatch.setattr(ledger.log.store, "write", locked)
    with pytest.raises(LedgerUnavailableError):
        export(ledger, "anna", request_id="r")
    monkeypatch.undo()
    assert ledger.head().size == size
    assert not export(ledger, "anna", request_id="r").replayed


def test_failed_but_written_is_found_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    act(ledger, "anna", "give", 0)

    def lost() -> None:
        raise CheckpointStoreError("the checkpoint could not be stored", "try again")

    monkeypatch.setattr(ledger.log, "checkpoint", lost)
    with pytest.raises(CheckpointStoreError):
        export(ledger, "anna", request_id="r")
    monkeypatch.undo()
    size = ledger.head().size
    again = export(ledger, "anna", request_id="r")
    assert (again.replayed, again.unchanged, again.index) == (True, True, size - 1)
    assert ledger.head().checkpoint.size == ledger.head().size == size
    assert [each.right for each in ledger.rights_of("anna")] == [Right.ACCESS]
    assert ledger.check() == []


def test_whoever_is_not_on_record_gets_nothing_and_leaves_nothing(ledger: Ledger) -> None:
    act(ledger, "anna", "give", 0)
    export(ledger, "anna", request_id="r")
    ledger.erase("anna", ground="eu-gdpr:A17-1-b")
    size = ledger.head().size
    for person in ("nobody", "anna"):
        with pytest.raises(UnknownPersonError):
            export(ledger, person)
    with pytest.raises(BadRequestError, match="erased since"):
        export(ledger, "anna", request_id="r")
    with pytest.raises(BadRequestError, match="answered by an export"):
        export(ledger, "anna", Right.OBJECTION)
    assert ledger.head().size == size


def test_the_same_request_from_several_threads_is_recorded_once(ledger: Ledger) -> None:
    act(ledger, "anna", "give", 0)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(exporting.make, ledger, ExportRequest("anna", request_id="r")) for _ in range(4)]
        made = [each.result() for each in asked]
    assert len({(each.index, each.digest) for each in made}) == 1
    assert [each.replayed for each in made].count(False) == 1
    assert len({json.dumps(each.document["content"]) for each in made}) == 1
    assert len(ledger.rights_of("anna")) == 1
    assert ledger.check() == []


def test_whoever_is_erased_while_the_export_is_read_is_given_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(ledger, "anna", "give", 0)
    real = exporting._content

    def erased_after_reading(*arguments: Any) -> dict[str, Any]:
        content = real(*arguments)
        ledger.erase("anna", ground="eu-gdpr:A17-1-b")
        return content

    monkeypatch.setattr(exporting, "_content", erased_after_reading)
    with pytest.raises(UnknownPersonError, match="erased meanwhile"):
        export(ledger, "anna")
    assert ledger.number_of("anna") is None
    assert ledger.check() == []


def test_acts_of_staff_are_in_their_export(ledger: Ledger) -> None:
    index = ledger.append_act(
        "eetu", "vote", object_digest="sha256:" + "ab" * 32, service=None, details={"reasons": "I looked."}
    )
    [act_] = [
        each for each in export(ledger, "staff:eetu").document["content"]["entries"] if each["kind"] == "act"
    ]
    assert (act_["index"], act_["details"]["reasons"]["value"]) == (index, '"I looked."')
