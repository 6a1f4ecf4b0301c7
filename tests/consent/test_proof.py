from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import NoteError
from consent.tlog.proof import Proof
from tests.consent.vector_log import world

HASH = st.binary(min_size=32, max_size=32)
NOTE = world().checkpoint
TEXT = world().use_receipt["run"]["proof"]


@given(st.integers(0, 2**53 - 1), st.lists(HASH, max_size=63), st.none() | st.binary(min_size=1, max_size=20))
def test_proofs_come_back(index, path, extra):
    proof = Proof(index, tuple(path), NOTE, extra)
    assert Proof.parse(proof.text()) == proof


def test_a_proof_has_the_lines_of_the_specification():
    lines = TEXT.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 7"]
    assert lines[lines.index("") + 1 :] == NOTE.split("\n")
    assert Proof.parse(TEXT).text() == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 7", "index 07"),
        TEXT.replace("index 7", "index"),
        TEXT.replace("index 7\n", ""),
        TEXT.replace("index 7", "extra !\nindex 7"),
        TEXT.replace("index 7\n", "index 7\nAAAA\n"),
        TEXT.replace("index 7\n", "index 7\n" + ("A" * 43 + "=\n") * 64),
        TEXT.replace("index 7\n", "index 7\nA=\n"),
        TEXT.partition("\n\n")[0] + "\n\n",
        TEXT.partition("\n\n")[0],
        TEXT.replace("\n", "\r\n"),
        "a" * 300_000,
    ],
)
def test_another_spelling_of_a_proof_is_refused(text):
    with pytest.raises(NoteError):
        Proof.parse(text)
