"""Where a receipt is written: into the home's own folder, or where asked; never by accident into the current one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from consent.canonical import b64u
from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.tlog.durable import sync

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from consent.home import Home


def text_of(receipt: Mapping[str, Any]) -> str:
    """Write a receipt as JSON for people's eyes; what is signed stands inside it as exact text."""
    return json.dumps(receipt, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def default_path(home: Home, receipt: Mapping[str, Any], about: str, suffix: str = "json") -> Path:
    """Name a receipt's file by its type, its subject matter and a piece of its digest: nothing in it names the person.

    Args:
        home: The home.
        receipt: The receipt.
        about: Purpose id or run id.
        suffix: json, html or txt.

    Returns:
        A path in the home's receipts folder; another person's receipt never has the same one.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", about)
    digest = hashlib.sha256(text_of(receipt).encode()).hexdigest()[:12]
    return home.receipts / f"{receipt['type']}-{safe}-{digest}.{suffix}"


def save(receipt: Mapping[str, Any], path: Path) -> None:
    """Write a receipt; see `save_text`."""
    save_text(text_of(receipt), path)


def save_text(text: str, path: Path) -> None:
    """Write a receipt whole or not at all, readable by its owner only; an older receipt of that name is replaced.

    Args:
        text: The receipt, or a page of it.
        path: Where to.

    Raises:
        ConsentInputError: The folder is not there, or the path is a folder.
        ConsentUnavailableError: It cannot be written.
    """
    if path.is_dir():
        raise ConsentInputError(f"{path} is a folder", "Name the receipt's file.")
    if not path.parent.is_dir():
        raise ConsentInputError(
            f"the folder {path.parent} does not exist", "Make it first, or choose another place."
        )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConsentUnavailableError(
            f"cannot write {path}: {error.strerror}", "Check the folder's owner and mode."
        ) from error


_SUBJECT = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")
"""What may be a subject id: in an opening's escaped text, in a record's names, or on a page for people."""


def delete_copies(home: Home, subjects: Collection[bytes]) -> int:
    """Delete the house's own copies of erased people's receipts, and pages of them: those in the home's receipts folder.

    Args:
        home: The home.
        subjects: Subject ids, 16 bytes each.

    Returns:
        How many files.

    Raises:
        ConsentUnavailableError: One cannot be read or deleted.
    """
    wanted = {b64u(subject).encode() for subject in subjects}
    deleted = 0
    try:
        for path in sorted(home.receipts.iterdir()) if home.receipts.is_dir() else ():
            if path.is_file() and not wanted.isdisjoint(_SUBJECT.findall(path.read_bytes())):
                path.unlink()
                deleted += 1
        if deleted:
            # The erasure is on disk soon: a power cut must not bring back what it says is gone.
            sync(home.receipts)
    except OSError as error:
        raise ConsentUnavailableError(
            f"a receipt in {home.receipts} cannot be deleted: {error.strerror}",
            "check the folder's owner and mode, then erase again with the same request id",
        ) from error
    return deleted
