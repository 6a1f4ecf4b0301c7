"""An independent, naive reading of RFC 6962 section 2.1: plain recursion, nothing of ours imported.

Property tests compare `consent/tlog/merkle.py` and `consent/tlog/verify.py` with it. Slow on purpose.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from pathlib import Path


def mth(entries: list[bytes]) -> bytes:
    """Merkle Tree Hash of a list of entries (2.1)."""
    n = len(entries)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = _k(n)
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """Merkle audit path of entry m (2.1.1)."""
    n = len(entries)
    if n == 1:
        return []
    k = _k(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> list[bytes]:
    """Merkle consistency proof from size m (2.1.2)."""
    return _subproof(m, entries, whole=True)


def _subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = _k(n)
    if m <= k:
        return [*_subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*_subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


# What is published (docs/spec/ledger-v1.md section 6, C2SP tlog-tiles, tlog-checkpoint and signed-note).


def published(folder: Path, vkey: str) -> list[bytes]:
    """The entries of a published log, after everything about it was recomputed; AssertionError when it is wrong."""
    size, root = _head((folder / "checkpoint").read_text(), vkey)
    entries: list[bytes] = []
    while len(entries) < size:
        width = min(256, size - len(entries))
        content = _file(folder, "entries", len(entries) // 256, width)
        for _ in range(width):
            end = 2 + int.from_bytes(content[:2], "big")
            entries.append(content[2:end])
            assert len(entries[-1]) == end - 2
            content = content[end:]
        assert content == b"", "bytes after the last entry of a bundle"
    hashes = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    level = 0
    while hashes:
        for start in range(0, len(hashes), 256):
            part = hashes[start : start + 256]
            assert _file(folder, str(level), start // 256, len(part)) == b"".join(part)
        hashes = [_full(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    assert root == _mth_of_leaf_hashes([hashlib.sha256(b"\x00" + entry).digest() for entry in entries])
    return entries


def _head(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the key signed."""
    head, _, signatures = note.partition("\n\n")
    head += "\n"
    origin, size_text, root_text = head.splitlines()
    name, keyid, encoded = vkey.split("+", 2)
    key = _b64(encoded)
    assert origin == name
    assert key[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == keyid
    prefix = f"\u2014 {name} "
    raw = [_b64(line[len(prefix) :]) for line in signatures.splitlines() if line.startswith(prefix)]
    ours = [signature[4:] for signature in raw if signature[:4].hex() == keyid]
    assert ours, "no signature of the log's key"
    for signature in ours:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, head.encode())
    size = int(size_text)
    return size, _b64(root_text)


def _b64(text: str) -> bytes:
    """Base64 has one spelling (section 1): also the bits that decode to nothing are looked at."""
    raw = base64.b64decode(text, validate=True)
    assert base64.b64encode(raw).decode() == text
    return raw


def _file(folder: Path, level: str, index: int, width: int) -> bytes:
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return (folder / "tile" / level / (path if width == 256 else f"{path}.p/{width}")).read_bytes()


def _full(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            hashlib.sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)
        ]
    return hashes[0]


def _mth_of_leaf_hashes(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = _k(len(hashes))
    return hashlib.sha256(
        b"\x01" + _mth_of_leaf_hashes(hashes[:k]) + _mth_of_leaf_hashes(hashes[k:])
    ).digest()


def contradiction(document: dict, vkey: str) -> None:
    """Check evidence against a log (docs/spec/ledger-v1.md section 15); AssertionError when it proves nothing."""
    assert document.keys() == {
        "luvalla_contradiction", "origin", "older", "newer", "prefix_root", "consistency",
    }  # fmt: skip
    assert document["luvalla_contradiction"] == 1
    assert document["origin"] == vkey.split("+", 1)[0]
    old_size, old_root = _head(document["older"], vkey)
    size, root = _head(document["newer"], vkey)
    prefix = _b64(document["prefix_root"])
    hashes = [_b64(item) for item in document["consistency"]]
    assert all(len(item) == 32 for item in [prefix, *hashes])
    assert 0 < old_size <= size
    old_reached, reached = _reached(old_size, size, hashes, prefix, whole=True)
    assert hashes == [], "hashes to spare"
    assert (old_reached, reached) == (prefix, root), "the proof leads elsewhere"
    assert prefix != old_root, "the two heads agree"


def _reached(m: int, n: int, hashes: list[bytes], old: bytes, *, whole: bool) -> tuple[bytes, bytes]:
    """SUBPROOF (2.1.2) read backwards: the roots of the old and of the new tree; the last hash is the outermost."""
    if m == n:
        if whole:
            return old, old
        assert hashes, "too few hashes"
        same = hashes.pop()
        return same, same
    assert hashes, "too few hashes"
    other = hashes.pop()
    k = _k(n)
    if m <= k:
        before, after = _reached(m, k, hashes, old, whole=whole)
        return before, _pair(after, other)
    before, after = _reached(m - k, n - k, hashes, old, whole=False)
    return _pair(other, before), _pair(other, after)


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
