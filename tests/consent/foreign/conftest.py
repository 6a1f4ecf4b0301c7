"""A city's published log, for programs that others wrote."""

from __future__ import annotations

import pytest

from consent.records import ConsentRequest
from tests.consent import second_verifier
from tests.consent.ledger_world import OFFER, G, make_world


@pytest.fixture(scope="session")
def city(tmp_path_factory):
    """A published log of some 400 entries, its key, a proof, and a checkpoint of an earlier time."""
    folder = tmp_path_factory.mktemp("city")
    with make_world(folder).open() as ledger:
        ledger.record_consents([ConsentRequest(f"invented-{each}", OFFER, G) for each in range(60)])
        (folder / "older").write_text(ledger.checkpoint().note)
        ledger.record_consents([ConsentRequest(f"invented-{each}", OFFER, G) for each in range(60, 200)])
        done = ledger.publish(folder / "public")
        vkey = next(iter(ledger.log.trust.log_vkeys(1))).vkey
        index = done.size - 3
        (folder / "proof").write_text(ledger.prove(index))
    assert done.size > 256
    (folder / "entry").write_bytes(second_verifier.published(folder / "public", vkey)[index])
    return folder, vkey, done.size
