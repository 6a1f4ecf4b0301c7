"""docs/ledger/what-the-log-reveals.md says sizes, counts and times: here they are compared with a real ledger."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from consent import store
from consent.tlog.checkpoint import TreeHead
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import Note, load_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule
from consent.vocabulary import ConsentStatus, Right, UseStatus
from consent.witnessing import Witnesses
from tests.consent.ledger_world import DEVELOPMENT, MODEL, OFFER, ORIGIN, open_trust, use_request
from tests.consent.vector_log import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

PAGE = (Path(__file__).parents[3] / "docs" / "ledger" / "what-the-log-reveals.md").read_text()
S = ConsentStatus
DIGEST = "sha256:" + "ab" * 32


def documented(first: str) -> int:
    """The number that leads the second column of the page's row that begins with these words."""
    found = re.search(rf"^\| {re.escape(first)}[^|]*\| (\d+)", PAGE, re.MULTILINE)
    assert found is not None, f"the page has no row {first!r}"
    return int(found[1])


def size_of(ledger: Ledger, index: int) -> int:
    with ledger.log.store.read() as connection:
        return len(connection.execute(select(store.entry.c.body).where(store.entry.c.idx == index)).scalar())


def written(ledger: Ledger, do: Callable[[], object]) -> list[int]:
    """The sizes of the entries that something added."""
    before = ledger.head().size
    do()
    return [size_of(ledger, index) for index in range(before, ledger.head().size)]


def test_everything_about_a_person_has_the_same_size_and_as_many_entries_as_the_page_says(
    ledger: Ledger,
) -> None:
    personal = documented("anything about a person")
    first, later = documented("the first consent"), documented("any later one")

    def act() -> None:
        ledger.append_act(
            "staff:eeva", "audit", object_digest=DIGEST, service="reading-help", details={"x": 1}
        )

    done = [
        (lambda: ledger.record_consent("a", OFFER, S.GIVEN), first),
        (lambda: ledger.record_consent("a", OFFER, S.WITHDRAWN), later),
        (lambda: ledger.record_consent("a", DEVELOPMENT, S.REFUSED, language="sv", method="x" * 200), later),
        (lambda: ledger.record_consent("b", DEVELOPMENT, S.REFUSED), first),
        (lambda: ledger.record_right("c", Right.ACCESS, ground="eu-gdpr:A15"), first),
        (lambda: ledger.record_right("a", Right.OBJECTION, ground="eu-gdpr:A21-1", purposes=[OFFER]), later),
        (lambda: ledger.enrol("d"), documented("enrolment alone")),
        (act, documented("an act of staff")),
        (act, later),
        (lambda: ledger.erase("a", ground="eu-gdpr:A17-1-b"), documented("an erasure")),
    ]
    assert [written(ledger, do) for do, _ in done] == [[personal] * count for _, count in done]


def test_the_acts_of_the_house_have_the_sizes_that_the_page_says(ledger: Ledger) -> None:
    by_kind: dict[str, set[int]] = {}
    for entry in ledger.institutional("purpose"):
        by_kind.setdefault("purpose", set()).add(size_of(ledger, entry.index) - len(entry.body["id"]))
    for entry in ledger.institutional("notice"):
        texts = len(entry.body["id"]) + len(entry.body["purpose"])
        by_kind.setdefault("notice", set()).add(size_of(ledger, entry.index) - texts)
    by_kind["trust-root"] = {size_of(ledger, ledger.institutional("trust-root")[0].index)}
    bodies = {
        "policy": ({"digest": DIGEST, "name": "", "version": ""}, ("name", "version")),
        "certificate": (
            {
                "envelope": DIGEST, "expires": "2027-11-24T08:00:00Z", "model_digest": DIGEST, "model_name": "",
                "model_version": "", "policy": DIGEST, "report": DIGEST, "service": "", "votes": [DIGEST],
            },
            ("model_name", "model_version", "service"),
        ),
        "revocation": ({"certificate": DIGEST, "kind": "revoked", "reason": DIGEST, "until": None}, ()),
    }  # fmt: skip
    for kind, (body, texts) in bodies.items():
        filled = {**body, **dict.fromkeys(texts, "12345")}
        [size] = written(ledger, lambda kind=kind, filled=filled: ledger.append_institutional(kind, filled))
        by_kind[kind] = {size - 5 * len(texts)}
    assert by_kind == {kind: {documented(f"`{kind}`")} for kind in by_kind}


def test_a_run_shows_no_count_of_people(ledger: Ledger) -> None:
    for person in ("a", "b", "c"):
        ledger.record_consent(person, OFFER, S.GIVEN)
    sizes = []
    for statuses in ({"a": UseStatus.USED}, dict.fromkeys("abc", UseStatus.USED), {"b": UseStatus.SELECTED}):
        use = use_request(ledger, statuses)
        sizes += written(ledger, lambda use=use: ledger.append_use(use))
    assert len(sizes) == 3 * documented("a run")
    run = ledger.institutional("run")[0].body
    texts = len(OFFER) + len(run["basis"]) + len("reading-help") + len(MODEL.name) + len(MODEL.version)
    assert {size - texts for size in sizes} == {documented("`run`")}
    assert {entry.body["slots"] for entry in ledger.institutional("run")} == {65_536}
    assert "65,536" in PAGE


@pytest.mark.sqlite_file
def test_a_checkpoint_holds_no_time_and_a_witness_s_line_the_second_of_the_newest_entry(
    world: World, tmp_path: Path
) -> None:
    from consent.fetch import Answer  # noqa: PLC0415 - brings an HTTP client
    from consent.tlog.witness import WitnessState  # noqa: PLC0415 - the witness's side

    public = tmp_path / "public"
    with world.open() as ledger:
        ledger.record_consent("a", OFFER, S.GIVEN)
        ledger.publish(public)
        size = ledger.head().size
    assert TreeHead.parse(Note.parse((public / "checkpoint").read_bytes()).text).size == size
    witness = signing_key("w.example", "w")
    key = WitnessKey.of(witness)
    trust = TrustRoot.load(world.home.trust_root, open_trust(world.home))
    root_key = load_key(world.home.root_key, f"{ORIGIN}/root")
    trust = trust.with_witnesses(WitnessRule((key,), 1, size + 1), [root_key])
    trust.save(world.home.trust_root)
    memory = WitnessState.create(tmp_path / "w.db", "w.example")

    def ask(_: str, body: bytes) -> Answer:
        answer = memory.add(
            body, {ORIGIN: trust.log_vkeys}, witness, lambda: int(world.clock.now.timestamp())
        )
        return Answer(answer.status, answer.content_type.partition(";")[0], answer.body.encode())

    world.clock.forward(minutes=3, seconds=7)
    wrote = int(world.clock.now.timestamp())
    with world.open() as ledger:
        ledger.log.witnesses = Witnesses(("https://w.example",), ask)
        ledger.record_consent("b", OFFER, S.GIVEN)
        world.clock.forward(hours=12)
        ledger.publish(public)
    lines = Note.parse((public / "checkpoint").read_bytes()).signatures
    [line] = [each for each in lines if each.name == "w.example"]
    assert int.from_bytes(line.signature[:8], "big") == wrote


def test_the_interval_is_long_enough_for_the_company_that_the_page_promises() -> None:
    found = re.search(
        r"in which (\d+) entries .* has (\d+) or more with a probability of (\d+) %", " ".join(PAGE.split())
    )
    expected, company, per_cent = (int(group) for group in found.groups())

    def likely(mean: int) -> float:
        return 1 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(company))

    assert likely(expected) >= per_cent / 100 > likely(expected - 1)
