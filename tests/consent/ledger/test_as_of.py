"""Any question as of an index and of an instant, against a model that replays the acts from the start."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.article_30 import activity, changes
from consent.bulk import permits
from consent.errors import ConsentChanged, PurposesError
from consent.foresight import people_to_ask
from consent.purposes import document, from_document, parse
from consent.purposing import new_versions
from consent.records import ConsentReceiptRef, Permitted
from consent.vocabulary import ConsentStatus, Right, UseStatus
from tests.consent.ledger_world import OFFER, START, make_world, purposes_text, use_request

S = ConsentStatus
MORE = """contact = "privacy@city.example"
data_protection_officer = "dpo@city.example"
data_subjects = ["pupils"]
security_measures = ["encryption per person"]
"""

steps = st.lists(
    st.sampled_from([S.GIVEN, S.REFUSED, S.WITHDRAWN, S.RENEWED, Right.OBJECTION, Right.OBJECTION_WITHDRAWN]),
    max_size=8,
)


@settings(max_examples=12, deadline=None)
@given(steps, st.integers(0, 9), st.integers(0, 12))
def test_every_question_as_of_an_index_and_an_instant_is_the_answer_of_that_day(
    done, second: int, more: int
) -> None:
    with TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        with world.open() as ledger:
            ledger.enrol("anna")
            as_of = ledger.head().size + more
            at = START + timedelta(seconds=second)
            told = []  # index and instant of each act that was recorded
            for what in done:
                world.clock.forward(seconds=1)
                if isinstance(what, Right):
                    index = ledger.record_right("anna", what, ground="g")
                else:
                    made = ledger.record_consent("anna", OFFER, what)
                    if not isinstance(made, ConsentReceiptRef):
                        continue
                    index = made.index
                told.append((index, world.clock.now, what))
            for when, size in ((None, None), (at, None), (None, as_of), (at, as_of)):
                status, history, limits = S.UNKNOWN, 0, []
                for index, moment, what in told:
                    if (when is not None and moment > when) or (size is not None and index >= size):
                        continue
                    if isinstance(what, Right):
                        limits.append(what)
                    else:
                        status, history = what, history + 1
                [record] = [r for r in ledger.consents("anna", at=when, as_of=size) if r.purpose.id == OFFER]
                assert (record.status, len(record.history)) == (status, history)
                assert [each.right for each in ledger.limitations("anna", at=when, as_of=size)] == limits
                want = status.permits and limits[-1:] != [Right.OBJECTION]
                got = ledger.permit("anna", OFFER, "scoring", at=when, as_of=size)
                assert isinstance(got, Permitted) == want
                bulk = permits(ledger, ["anna"], OFFER, "scoring", at=when, as_of=size)
                assert bulk.status.tolist() == [0 if want else int(got.status)]


def test_purposes_in_force_and_uses_as_of(ledger, world) -> None:
    before = ledger.head().size
    ledger.record_consent("anna", OFFER, S.GIVEN)
    ledger.append_use(use_request(ledger, {"anna": UseStatus.USED}))
    world.clock.forward(days=1)
    used = ledger.head().size
    ledger.adopt_purposes(purposes_text(version=2))
    versions = {p.id: p.version for p in ledger.purposes()}
    assert versions[OFFER] == 2
    for when in ({"as_of": used}, {"at": START}):
        assert {p.id: p.version for p in ledger.purposes(**when)}[OFFER] == 1
        [record] = [each for each in ledger.consents("anna", **when) if each.purpose.id == OFFER]
        assert record.current_version
        assert len(ledger.uses("anna", **when)) == 1
    assert ledger.purposes(as_of=0) == ()
    assert ledger.uses("anna", as_of=before) == []
    assert ledger.uses("anna", at=START - timedelta(seconds=1)) == []


def test_a_permit_of_that_day_is_for_the_version_of_that_day(ledger, world) -> None:
    given = ledger.record_consent("anna", OFFER, S.GIVEN)
    world.clock.forward(days=1)
    ledger.adopt_purposes(purposes_text(version=2))
    size = ledger.head().size
    assert ledger.permit("anna", OFFER, "scoring").status is UseStatus.OTHER_VERSION
    assert permits(ledger, ["anna"], OFFER, "scoring").counts() == {"other-version": 1}
    for when in ({"at": START}, {"as_of": given.index + 1}, {"at": START, "as_of": size}):
        assert isinstance(ledger.permit("anna", OFFER, "scoring", **when), Permitted)
    assert permits(ledger, ["anna"], OFFER, "scoring", at=START).permitted.all()
    for when in ({"at": START - timedelta(days=1)}, {"as_of": 0}):
        assert ledger.permit("anna", OFFER, "scoring", **when).status is UseStatus.NO_CONSENT
    for when in ({"as_of": given.index + 1}, {"at": START, "as_of": size}):
        assert permits(ledger, ["anna"], OFFER, "scoring", **when).permitted.all()
    for when in ({"as_of": given.index}, {"as_of": 0}):
        assert permits(ledger, ["anna"], OFFER, "scoring", **when).counts() == {"no-consent": 1}
    before = permits(ledger, ["anna"], OFFER, "scoring", at=START - timedelta(days=1))
    assert before.counts() == {"no-consent": 1}


def test_a_paper_form_of_an_earlier_day_never_legitimises_an_earlier_use(ledger, world) -> None:
    ledger.enrol("anna")
    world.clock.forward(days=10)
    left_out = use_request(ledger, {"anna": UseStatus.NO_CONSENT})
    ledger.append_use(left_out)
    early = use_request(ledger, {"anna": UseStatus.USED})
    with pytest.raises(ConsentChanged):
        ledger.append_use(early)
    world.clock.forward(days=1)
    ledger.record_consent("anna", OFFER, S.GIVEN, method="paper form", signed_on=START.date())
    [use] = ledger.uses("anna")
    assert use.status is UseStatus.NO_CONSENT
    assert ledger.permit("anna", OFFER, "scoring", at=use.at).status is UseStatus.NO_CONSENT
    assert ledger.permit("anna", OFFER, "scoring", as_of=use.index).status is UseStatus.NO_CONSENT
    [record] = [each for each in ledger.consents("anna", at=use.at) if each.purpose.id == OFFER]
    assert (record.status, record.history) == (S.UNKNOWN, ())
    assert isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)


def test_a_use_on_another_basis_is_recorded_with_it_and_consent_still_guards_the_model(ledger) -> None:
    assert ledger.purpose(OFFER).legal_basis == "eu-gdpr:A6-1-e"
    assert not isinstance(ledger.permit("anna", OFFER, "scoring"), Permitted)
    ledger.record_consent("anna", OFFER, S.GIVEN)
    use = use_request(ledger, {"anna": UseStatus.USED})
    ledger.append_use(use)
    assert [entry.body["basis"] for entry in ledger.institutional("run")] == ["eu-gdpr:A6-1-e"]
    ledger.record_consent("anna", OFFER, S.WITHDRAWN)
    with pytest.raises(Exception, match="no permission now"):
        ledger.append_use(use_request(ledger, {"anna": UseStatus.USED}))


def test_older_purpose_documents_keep_their_digest_and_fuller_ones_come_back() -> None:
    [plain, _] = parse(purposes_text())
    assert "contact" not in document(plain)
    [fuller, _] = parse(purposes_text().replace("recipients = []\n", f"recipients = []\n{MORE}", 1))
    assert from_document(document(fuller), dict(fuller.notice.texts)) == fuller
    assert activity(fuller, "en")["missing"] == []
    assert [item.split()[0] for item in activity(plain, "en")["missing"]] == [
        "contact",
        "data_protection_officer",
        "data_subjects",
        "security_measures",
    ]


def test_a_changed_purpose_needs_the_next_version_and_says_what_is_wider() -> None:
    known = parse(purposes_text())
    by_version = {(each.id, each.version): each for each in known}
    changed = purposes_text().replace("recipients = []", 'recipients = ["Another"]', 1)
    with pytest.raises(PurposesError, match="other content"):
        new_versions(parse(changed), by_version)
    second = purposes_text(version=2)
    head, _, tail = second.rpartition("recipients = []")
    wider = parse(f'{head}recipients = ["Another"]{tail}')
    assert [each.version for each in new_versions(wider, by_version)] == [2]
    assert new_versions(known, by_version) == []
    assert changes(known, wider) == [{"id": OFFER, "version": 2, "wider": ["recipients"], "ask_anew": True}]
    assert changes(wider, wider) == changes(known, known) == []


def test_people_to_ask_are_those_whose_yes_still_holds(ledger, world) -> None:
    for person in ("a", "b", "c"):
        ledger.record_consent(person, OFFER, S.GIVEN)
    ledger.record_consent("b", OFFER, S.WITHDRAWN)
    assert (people_to_ask(ledger, OFFER), people_to_ask(ledger, "reading-help.development")) == (2, 0)
    world.clock.forward(days=300)
    ledger.record_consent("c", OFFER, S.RENEWED)
    world.clock.forward(days=100)
    assert people_to_ask(ledger, OFFER) == 1
    ledger.adopt_purposes(purposes_text(version=2))
    assert people_to_ask(ledger, OFFER) == 1
