"""The writer and the verifier share no code, and accept the same payloads and run entries."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import canonical
from consent.entries import InstitutionalAct, Payload, parse_entry
from consent.errors import ConsentError
from consent.tlog import verify
from consent.tlog.verify import VerificationError
from tests.consent.vector_log import world

ODD_WORDS = [
    "",
    "a",
    "a" * 1_001,
    "given",
    "fi",
    "2026-11-24T09:00:00Z",
    "2026-02-29T09:00:00Z",
    canonical.digest(b""),
]
ODD_NUMBERS = [None, True, False, 0, 1, 2, -1, 2**32, 2**53 - 1, 65_536, 65_537, 2**32 + 65_536]
ODD_ENCODED = ["A" * 22, "A" * 43, "A" * 42 + "B"]
ODD_LISTS = [
    [],
    ["a"],
    ["b", "a"],
    ["a", "a"],
    ["audit"],
    ["audit", "audit"],
    [1],
    [str(n) for n in range(1_001)],
]
ODD_OBJECTS = [{}, {"a": 1}, {"a": "A" * 43}, {f"d{number}": "A" * 43 for number in range(65)}]
ODD = st.sampled_from([*ODD_WORDS, *ODD_NUMBERS, *ODD_ENCODED, *ODD_LISTS, *ODD_OBJECTS])


def accepts(function, *arguments) -> bool:
    try:
        function(*arguments)
    except (ConsentError, VerificationError):
        return False
    return True


@settings(deadline=None, max_examples=800)
@given(st.data())
def test_writer_and_verifier_accept_the_same_payloads_and_run_entries(data):
    log = world().log
    kind = data.draw(st.sampled_from(["enrolment", "consent", "run"]))
    text = {"enrolment": log.openings.get(2), "consent": log.openings.get(5), "run": (log.entries[7],)}[kind][
        0
    ]
    value = canonical.decode(text)
    for _ in range(data.draw(st.integers(0, 2))):
        place = value
        while True:
            key = data.draw(st.sampled_from(sorted(place)))
            if not (isinstance(place[key], dict) and place[key] and data.draw(st.booleans())):
                break
            place = place[key]
        place[key] = copy.deepcopy(data.draw(ODD))
    changed_text = canonical.encode(value)
    if kind == "run":
        written = accepts(parse_entry, changed_text) and isinstance(
            parse_entry(changed_text), InstitutionalAct
        )
        read = accepts(verify._parse_run_entry, changed_text)
    else:
        written = accepts(Payload.parse, changed_text)
        read = accepts(verify._parse_payload, changed_text, kind)
    assert written == read
