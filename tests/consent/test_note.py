from __future__ import annotations

import stat
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import KeyFileError, NoteError
from consent.tlog import verify
from consent.tlog.checkpoint import TreeHead, open_checkpoint, parse_decimal, sign_checkpoint
from consent.tlog.merkle import EMPTY_ROOT
from consent.tlog.note import Note, VerifierKey, generate_key, is_key_name, load_key, save_key, sign_note
from tests.consent.vector_log import signing_key

# The example of C2SP signed-note, section "Verifier keys".
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
    "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
KEY = signing_key("log.example/a", "note")
OTHER = signing_key("log.example/a", "other")
HEAD = TreeHead("log.example/a", 7, bytes(32))


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(EXAMPLE_VKEY)
    note = Note.parse(EXAMPLE_NOTE)
    assert note.signed_by([key]) == (key,)
    assert note.encode() == EXAMPLE_NOTE
    assert key.vkey == EXAMPLE_VKEY
    assert verify.verify_note(EXAMPLE_NOTE, [EXAMPLE_VKEY]) == ("example.com/foo+530d903a",)


@given(st.integers(0, len(EXAMPLE_NOTE) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_note_is_refused_by_both_readers(at, change):
    raw = bytearray(EXAMPLE_NOTE)
    raw[at] ^= change
    with pytest.raises(NoteError):
        Note.parse(bytes(raw)).signed_by([VerifierKey.parse(EXAMPLE_VKEY)])
    with pytest.raises(verify.VerificationError):
        verify.verify_note(bytes(raw), [EXAMPLE_VKEY])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=1, max_size=5))
def test_signed_texts_come_back_and_verify(lines):
    text = "\n".join(lines) + "\n"
    note = sign_note(text, [KEY, OTHER])
    assert Note.parse(note.encode()) == note
    assert note.signed_by([OTHER.verifier]) == (OTHER.verifier,)
    assert len(verify.verify_note(note.encode(), [KEY.verifier.vkey, OTHER.verifier.vkey])) == 2


def test_signatures_of_unknown_keys_are_ignored_and_count_for_nothing():
    note = sign_note("text\n", [OTHER, KEY])
    assert note.signed_by([KEY.verifier]) == (KEY.verifier,)
    with pytest.raises(NoteError, match="no signature of a known key"):
        sign_note("text\n", [OTHER]).signed_by([KEY.verifier])
    with pytest.raises(NoteError, match="no signature of a known key"):
        note.signed_by([])


def test_a_known_key_that_does_not_verify_refuses_the_note_even_beside_one_that_does():
    note = sign_note("text\n", [KEY, OTHER])
    broken = replace(note, signatures=(replace(note.signatures[0], signature=bytes(64)), note.signatures[1]))
    with pytest.raises(NoteError, match="does not belong to the note's text"):
        broken.signed_by([KEY.verifier, OTHER.verifier])
    with pytest.raises(verify.VerificationError, match="does not verify"):
        verify.verify_note(broken.encode(), [OTHER.verifier.vkey, KEY.verifier.vkey])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        EXAMPLE_NOTE[:-1],
        EXAMPLE_NOTE + b"\n",
        EXAMPLE_NOTE.replace(b"\n\n", b"\n"),
        EXAMPLE_NOTE.replace(b"example m", b"example\tm"),
        EXAMPLE_NOTE.replace(b"\n", b"\r\n"),
        EXAMPLE_NOTE.replace(b"aQM=", b"aQN="),
        EXAMPLE_NOTE.replace("\u2014 ".encode(), b"- "),
        b"\xff" + EXAMPLE_NOTE,
        b"a" * (256 * 1024 + 1),
    ],
)
def test_what_is_no_note_is_refused_by_both_readers(raw):
    with pytest.raises(NoteError):
        Note.parse(raw)
    with pytest.raises(verify.VerificationError):
        verify.verify_note(raw, [EXAMPLE_VKEY])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        EXAMPLE_VKEY + "=",
        EXAMPLE_VKEY.replace("530d903a", "530D903A"),
        EXAMPLE_VKEY.replace("530d903a", "530d903b"),
        EXAMPLE_VKEY.replace("foo", "bar"),
        EXAMPLE_VKEY.replace("example.com/foo", ""),
        EXAMPLE_VKEY.replace("+Aeky", "+Beky"),
        EXAMPLE_VKEY + "AAAA",
    ],
)
def test_another_spelling_of_a_verifier_key_is_refused(vkey):
    with pytest.raises(KeyFileError):
        VerifierKey.parse(vkey)
    with pytest.raises(verify.VerificationError):
        verify.verify_note(EXAMPLE_NOTE, [vkey])


def test_only_keys_with_a_proper_name_are_made():
    for name in ("", "a b", "a+b", "a\nb", "a\u00a0b", "a" * 201):
        assert not is_key_name(name)
        with pytest.raises(KeyFileError, match="name must be"):
            generate_key(name)


def test_a_note_is_not_signed_without_key_or_newline():
    for text, keys in (("text", [KEY]), ("text\n", []), ("te\txt\n", [KEY])):
        with pytest.raises(NoteError):
            sign_note(text, keys)


def test_checkpoints_come_back_both_ways():
    made = sign_checkpoint(HEAD, signing_key("log.example/a", "note"))
    assert TreeHead.parse(HEAD.text()) == HEAD
    assert open_checkpoint(made.note.encode(), "log.example/a", lambda _: [KEY.verifier]) == made
    assert (made.origin, made.size, made.root) == ("log.example/a", 7, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "log.example/a\n7\n",
        HEAD.text() + "extension\n",
        HEAD.text()[:-1],
        HEAD.text().replace("7", "07"),
        HEAD.text().replace("7", "+7"),
        HEAD.text().replace("7", "\u0667"),  # a digit of another script
        HEAD.text().replace("7", "9007199254740992"),
        HEAD.text().replace("7", "0"),
        HEAD.text().replace("AAA=", "AAB="),
        HEAD.text().replace("AAAA", "", 1),
        "a b\n" + HEAD.text().partition("\n")[2],
    ],
)
def test_another_spelling_of_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        TreeHead.parse(text)


def test_the_empty_log_has_its_own_root():
    assert TreeHead.parse(TreeHead("a", 0, EMPTY_ROOT).text()).size == 0
    with pytest.raises(NoteError, match="empty"):
        TreeHead("a", 1, EMPTY_ROOT).check()


def test_checkpoints_of_another_log_or_key_are_refused():
    with pytest.raises(NoteError, match="named as its origin"):
        sign_checkpoint(HEAD, signing_key("log.example/b", "note"))
    note = sign_checkpoint(HEAD, KEY).note.encode()
    with pytest.raises(NoteError, match="another log"):
        open_checkpoint(note, "log.example/b", lambda _: [KEY.verifier])
    with pytest.raises(NoteError, match="known key"):
        open_checkpoint(note, "log.example/a", lambda size: [KEY.verifier] if size > 7 else [])


@given(st.integers(0, 2**53 - 1))
def test_decimals_come_back(number):
    assert parse_decimal(str(number)) == number


def test_keys_are_saved_for_their_owner_only_and_never_over_a_file(tmp_path):
    path = tmp_path / "log.pem"
    save_key(KEY, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path, KEY.name).verifier == KEY.verifier
    with pytest.raises(KeyFileError, match=r"already a file log\.pem"):
        save_key(OTHER, path)
    assert load_key(path, KEY.name).verifier == KEY.verifier


def test_key_files_that_are_none_are_refused_with_what_to_do(tmp_path):
    path = tmp_path / "log.pem"
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key(path, "a")
    with pytest.raises(KeyFileError, match="cannot be written"):
        save_key(KEY, tmp_path / "none" / "log.pem")
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="no unencrypted private key"):
        load_key(path, "a")
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(KeyFileError, match="not Ed25519"):
        load_key(path, "a")
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="mode 644") as caught:
        load_key(path, "a")
    assert caught.value.hint.startswith("run: chmod 600")


def test_a_signing_key_shows_no_secret():
    assert repr(KEY) == f"SigningKey({KEY.verifier.keyid})"
