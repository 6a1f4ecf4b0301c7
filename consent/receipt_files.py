"""Where a receipt is written: into the home's own folder, or where asked; never by accident into the current one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.house_files import PART, saving

if TYPE_CHECKING:
    from collections.abc import Mapping
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

    Inside a home it goes into the receipts folder only, and not when the person was erased meanwhile (consent/house_files.py).

    Args:
        text: The receipt, or a page of it.
        path: Where to.

    Raises:
        ConsentInputError: The folder is not there, the path is a folder, or it lies in a home outside the receipts folder.
        ConsentUnavailableError: It cannot be written.
        UnknownPersonError: A person named in it was erased from that home's ledger; nothing is written.
        LedgerDamagedError: That home's erasure journal is damaged.
    """
    if path.is_dir():
        raise ConsentInputError(f"{path} is a folder", "Name the receipt's file.")
    if not path.parent.is_dir():
        raise ConsentInputError(
            f"the folder {path.parent} does not exist", "Make it first, or choose another place."
        )
    raw = text.encode()
    beside = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    with saving(path, raw):
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ConsentUnavailableError(
                f"cannot write {path}: {error.strerror}", "Check the folder's owner and mode."
            ) from error
