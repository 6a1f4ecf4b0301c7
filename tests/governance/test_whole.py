"""A whole home with a champion, played once: what runs, people and the board meet on it. The rows are invented."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from audits import report as audit_reports
from consent.errors import ConsentError
from consent.explained import answer_why
from consent.tlog.verify import verify_receipt
from consent.vocabulary import ConsentStatus, UseStatus
from consent.why import NONE_STANDS_OUT
from governance import auditing, founding, promotion, run
from governance.auditing import audit
from governance.ballot import Condition
from governance.development import train
from governance.errors import GovernanceError, GovernanceInputError, NobodyConsented
from governance.house import House
from governance.overview import lines, of
from models import population
from tests.governance.city import SERVICE, make_city, rows


def test_a_run_scores_only_those_who_said_yes_and_says_why_the_others_are_left_out(city):
    with city.house() as house:
        done, out = city.run(house, "yes-only")
    assert done.scored == 250
    assert done.left_out == {"refused": 30, "no-consent": 20}
    head, *offers = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert head["certificate"] == done.certificate
    assert {line["person"] for line in offers} <= set(city.names[:250])
    assert len([line for line in offers if line["kind"] == "offer"]) == done.selected > 0
    assert len([line for line in offers if line["kind"] == "review"]) == done.sampled > 0
    assert all(set(line["texts"]) == {"fi", "sv", "en"} for line in offers)
    assert oct(out.stat().st_mode)[-3:] == "600"


def test_what_the_board_accepted_once_cannot_be_put_to_it_anew(city):
    with city.house() as house:
        case = next(case for case in house.cases.all(SERVICE.id) if case.certificate)
        standing, anew = promotion.judge(house, case), promotion.judge(house, case, anew=True)
    assert str(standing.outcome) == "not_enough_evidence"
    assert standing.acceptable
    assert not anew.acceptable
    assert all("accepted before" in reason for reason in anew.why_not)


def test_audits_on_the_same_rows_are_counted_over_all_versions(city):
    with city.house() as house:
        case = next(case for case in house.cases.all(SERVICE.id) if case.reports)
        subject = promotion.latest_report(house, case).subject
        assert subject.audits_on_rows == 1
        assert auditing.audits_on(house, SERVICE.id, subject.rows_digest) == 1
        assert auditing.audits_on(house, SERVICE.id, "sha256:other rows") == 0


def test_each_person_sees_their_own_result_and_proves_it(city):
    with city.house() as house:
        done, _ = city.run(house, "each-person")
        yes, no, never_asked = city.names[0], city.names[255], city.names[299]
        seen = {person: house.ledger.uses(person)[-1].status for person in (yes, no)}
        unknown = house.ledger.uses(never_asked)
        receipt = json.dumps(house.ledger.use_receipt(no, done.run)).encode()
        proved = verify_receipt(receipt, house.home.trust_root.read_bytes(), house.trust_root.pin)
        kept = json.loads(house.ledger.values(yes, done.run))
        nothing_kept = house.ledger.values(no, done.run)
    assert seen[yes].used
    assert seen[no] is UseStatus.REFUSED
    assert unknown == []
    assert proved.use.status_word == "refused"
    assert not nothing_kept
    assert len(kept["x"]) == len(kept["c"]) == len(SERVICE.features)


def test_why_is_answered_from_what_the_same_version_saw(city):
    with city.house() as house:
        done, _ = city.run(house, "why")
        serving = run.champion(house, SERVICE)
        frame = city.load_people().frame
        document = house.ledger.explanation(done.run)
        assert document["value_texts"]["female"]["0"]["fi"] == "mies"
        for person in city.names[:20]:
            kept = json.loads(house.ledger.values(person, done.run))
            row = frame[frame["person_id"] == person]
            again = serving.estimator.predict_proba(row[list(SERVICE.features)])[0, 1]
            assert kept["s"] == pytest.approx(again, abs=1e-12)
            logit = float(np.log(kept["s"] / (1 - kept["s"])))
            assert sum(kept["c"]) + float(document["expected"]) == pytest.approx(logit, abs=1e-6)


def test_only_reasons_that_the_certified_report_calls_stable_are_told(city):
    with city.house() as house:
        done, out = city.run(house, "stable")
        serving = run.champion(house, SERVICE)
        report = house.evidence.get(serving.valid.certificate.report)
        facts = audit_reports.from_json(report).explanation.refits
        document = house.ledger.explanation(done.run)
        assert document["stable"] == {way: sorted(facts.stable(way)) for way in ("against", "for")}
        assert document["stable"]["for"]
        for person in city.names[:40]:
            told, _ = answer_why(house.ledger, person, done.run, "en")
            for reason in told.strongest:
                assert reason.feature in document["stable"]["for" if reason.contribution > 0 else "against"]
            assert not told.explained or len(told.table) == len(SERVICE.features)
    said = {SERVICE.family_texts[name]["en"] for name in facts.stable("for")} | {NONE_STANDS_OUT["en"]}
    offers = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert all(set(o["texts"]["en"]["reasons"]) <= said for o in offers if o["kind"] == "offer")


def test_someone_who_withdraws_is_left_out_of_the_next_run(city):
    person = city.names[1]
    with city.house() as house:
        house.ledger.record_consent(person, SERVICE.purposes.offer, ConsentStatus.WITHDRAWN)
        done, out = city.run(house, "withdrawn")
        status = house.ledger.uses(person)[-1].status
        house.ledger.record_consent(person, SERVICE.purposes.offer, ConsentStatus.GIVEN)
    assert done.left_out["withdrawn"] == 1
    assert status is UseStatus.WITHDRAWN
    assert person not in out.read_text()


def test_a_withdrawal_during_the_run_is_honoured_before_release(city, monkeypatch):
    """The person changes their mind after scoring and before the record: nothing of the first try is written or released."""
    person = city.names[2]
    with city.house() as house:
        record, tries = house.ledger.append_use, []

        def late(request):
            if not tries:
                house.ledger.record_consent(person, SERVICE.purposes.offer, ConsentStatus.WITHDRAWN)
            tries.append(request.run)
            return record(request)

        monkeypatch.setattr(house.ledger, "append_use", late)
        done, out = city.run(house, "late")
        monkeypatch.undo()
        runs = [use.run for use in house.ledger.uses(person)]
        house.ledger.record_consent(person, SERVICE.purposes.offer, ConsentStatus.GIVEN)
        assert list(house.home.outbox.glob("*.jsonl")) == []
    assert len(tries) == 2
    assert tries[0] not in runs
    assert runs[-1] == done.run == tries[1]
    assert person not in out.read_text()
    assert done.scored == 249


@pytest.mark.parametrize("written", [False, True], ids=["failed", "failed-but-was-written"])
def test_if_the_record_fails_nothing_leaves(city, monkeypatch, written):
    with city.house() as house:
        record = house.ledger.append_use

        def broken(request):
            if written:
                record(request)
            message = "the disk is gone"
            raise ConsentError(message)

        monkeypatch.setattr(house.ledger, "append_use", broken)
        out = city.folder / "offers" / f"broken-{written}.jsonl"
        with pytest.raises(ConsentError, match="the disk is gone"):
            run.run(house, SERVICE, city.load_people(), out, chance=np.random.default_rng(1))
        monkeypatch.undo()
        assert not out.exists()
        # What was left unreleased is removed by the next run, and never released.
        _, after = city.run(house, f"after-broken-{written}")
        assert after.exists()
        assert list(house.home.outbox.glob("*.jsonl")) == []


def test_offers_are_never_overwritten(city):
    with city.house() as house:
        _, out = city.run(house, "twice")
        before, size = out.read_bytes(), house.ledger.head().size
        with pytest.raises(GovernanceInputError, match="never overwrites"):
            city.run(house, "twice")
        assert out.read_bytes() == before
        assert house.ledger.head().size == size


def test_a_dry_run_records_and_writes_nothing(city):
    with city.house() as house:
        size = house.ledger.head().size
        done, out = city.run(house, "dry", dry_run=True)
        assert (done.scored, done.selected, out.exists()) == (250, 0, False)
        assert house.ledger.head().size == size


def test_a_member_who_trained_the_model_does_not_count(tmp_path):
    made = make_city(tmp_path)
    with made.house() as house:
        done = train(house, SERVICE, "need", made.load_development(), seed=1, by="aino")
        audit(house, SERVICE, done.case.version, made.load_development(), by="eetu")
        promotion.promote(house, SERVICE.id, done.case.version)
        ballot = house.cases.get(SERVICE.id, done.case.version).question()
        assert ballot.interest_of("aino") == "trained this model"
        terms = {"conditions": (Condition("Measure again.", made.clock() + timedelta(days=60)),)}
        terms["expires"] = made.clock() + timedelta(days=200)
        if str(ballot.gate_outcome) == "passed":
            terms = {}
        made.vote(house, done.case.version, "aino", **terms)
        made.vote(house, done.case.version, "bo", **terms)
        still = promotion.promote(house, SERVICE.id, done.case.version)
        assert isinstance(still, promotion.NotPromoted)
        assert still.waiting
        assert [vote.member for vote in still.decision.ignored] == ["aino"]
        # And a case whose file was edited to hide it is found out by the ledger's own record of who trained.
        file = made.home / "cases" / SERVICE.id / f"{done.case.version}.json"
        hidden = json.loads(file.read_text())
        file.write_text(json.dumps({**hidden, "trained_by": ["nobody"], "ballot": None, "votes": []}))
        opened = promotion.open_ballot(house, SERVICE.id, done.case.version)
        assert opened.interest_of("aino") == "trained this model"


def test_status_says_what_stands_and_what_waits(city):
    with city.house() as house:
        document = of(house)
    told = "\n".join(lines(document))
    first = document["versions"][0]
    assert first["version"] == "1"
    assert first["step"] == "champion"
    assert document["ledger"]["signed"] == document["ledger"]["size"]
    assert "policy  luvalla" in told


def test_nobody_consented_is_a_no_and_leaves_no_version(tmp_path):
    home = founding.found(tmp_path / "home", origin="test.example/empty").path
    file = tmp_path / "rows.csv"
    rows(200, seed=9).to_csv(file, index=False)
    with House.open(home) as house:
        with pytest.raises(NobodyConsented, match="none of the 200 people") as caught:
            train(house, SERVICE, "need", population.load(file, SERVICE, outcome=True), seed=1, by="dara")
        assert caught.value.exit_code == 1
        assert house.registry.versions(SERVICE.registered_model) == []
        assert house.cases.all() == []


def test_an_unaudited_version_is_not_put_to_the_board(city):
    with city.house() as house:
        version = train(house, SERVICE, "need", city.load_development(), seed=2, by="dara").case.version
        with pytest.raises(GovernanceInputError, match="has no audit report"):
            promotion.promote(house, SERVICE.id, version)
        with pytest.raises(GovernanceInputError, match="'99' of 'health-benefit' is not on the table"):
            promotion.promote(house, SERVICE.id, "99")


def test_every_use_is_in_the_ledger_with_what_it_produced(city):
    with city.house() as house:
        entries = [entry.body for entry in house.ledger.institutional("run")]
        case = house.cases.get(SERVICE.id, "1")
    training = next(body for body in entries if body["processing"] == "training")
    audited = next(body for body in entries if body["processing"] == "audit")
    assert training["output"] == case.digest == training["model"]["digest"]
    assert audited["output"] == case.reports[-1]
    assert training["purpose"] == audited["purpose"] == SERVICE.purposes.development


def test_the_artifact_holds_no_person(city):
    with city.house() as house, house.private_folder() as folder:
        copy = house.registry.download(SERVICE.registered_model, "1", folder)
        everything = b"".join(file.read_bytes() for file in copy.rglob("*") if file.is_file())
    for person in city.load_development().frame["person_id"][:200]:
        assert person.encode() not in everything


def test_nothing_lands_in_the_current_folder(city, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with city.house() as house:
        try:
            city.run(house, "elsewhere")
        except GovernanceError:
            pytest.fail("the run did not get so far")
        train(house, SERVICE, "need", city.load_development(), seed=5, by="dara")
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "home"

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(founding, "_make_store", broken)
    with pytest.raises(GovernanceError, match="No space left"):
        founding.found(target, origin="test.example/none")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    founding.found(target, origin="test.example/none")
    assert oct(target.stat().st_mode)[-3:] == "700"
    with pytest.raises(GovernanceInputError, match="there is something"):
        founding.found(target, origin="test.example/none")


def test_a_home_can_be_made_where_the_demo_was_played(tmp_path):
    target = tmp_path / "home"
    (target / "demo").mkdir(parents=True)
    (target / "demo" / "file").write_text("kept")
    founding.found(target, origin="test.example/none")
    assert (target / "demo" / "file").read_text() == "kept"
    assert (target / "luvalla.toml").is_file()


def test_kept_values_go_when_their_purpose_s_time_is_over(city):
    person = city.names[3]
    days = 0
    with city.house() as house:
        days = house.ledger.purpose(SERVICE.purposes.offer).retention_days
        done, _ = city.run(house, "kept")
        assert house.ledger.values(person, done.run)
    later = datetime.now(UTC) + timedelta(days=days + 1)
    with House.open(city.home, clock=lambda: later, read_only=True) as house:
        assert house.ledger.explanation(done.run) is not None
    with city.house() as house:
        assert house.ledger.purge_values(later) > 0
        assert house.ledger.values(person, done.run) is None
        assert house.ledger.check() == []


def test_a_private_copy_that_a_killed_process_left_is_removed_once_it_is_old(city):
    left = city.home / "work" / "of-a-killed-process"
    (left / "model").mkdir(parents=True)
    with city.house() as house, house.private_folder():
        assert left.exists(), "it may be in use"
    long_ago = datetime.now(UTC).timestamp() - 25 * 3600
    os.utime(left, (long_ago, long_ago))
    with city.house() as house, house.private_folder():
        assert not left.exists()
