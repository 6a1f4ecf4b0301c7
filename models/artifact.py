"""A model as a folder on a disk: its digest, a private copy of it, and the only way it is loaded.

Anyone who can write to the registry's disk can change a folder. So a model is copied to a place only we can write, its
digest is taken *there*, and it is loaded from there: what was checked is what runs. Loading is by skops with our own
list of trusted types; the list in the model's MLmodel file is the model's own word and is not read. No pickle, no URI.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785

from models.errors import ArtifactRefusedError, ModelsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL_FILE = "model.skops"
FACTS_FILE = "luvalla.json"
REGISTRY_NOTE = "registered_model_meta"
"""MLflow writes this file into a registered artifact's own folder when it downloads it; at the root only, it is ignored."""

MAXIMUM_FILES = 1_000
MAXIMUM_BYTES = 1 << 30
"""A folder larger than this (1 GiB) is not one of ours: refused before it fills the disk."""

_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".dill")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class _File:
    """A regular file of an artifact: posix path below its root, and where it is."""

    name: str
    path: Path
    size: int


def digest(folder: Path) -> str:
    """``sha256:`` digest over every regular file of the folder: its path, size and content.

    SHA-256 of the RFC 8785 form of the sorted list of ``[posix path, size, sha256 as hex]``. A file more, a file less, a
    changed byte or a changed name changes it; times and modes do not.

    Raises:
        ArtifactRefusedError: A link or special file, names that differ only in case, names that are not plain text, or a
            folder that is empty or too large.
        ModelsUnavailableError: The folder is not there or cannot be read.
    """
    entries: list[list[str | int]] = []
    for file in _files(folder):
        content = hashlib.sha256()
        size = 0
        for block in _blocks(file):
            content.update(block)
            size += len(block)
        entries.append([file.name, size, content.hexdigest()])
    return "sha256:" + hashlib.sha256(rfc8785.dumps(entries)).hexdigest()


def private_copy(source: Path, destination: Path) -> Path:
    """Copy an artifact into a new folder that only this user may enter, byte for byte, following no link.

    Take the digest of the copy, not of the source: the source may change in between.

    Args:
        source: The artifact.
        destination: A folder that does not exist yet; its parent does.

    Returns:
        `destination`.

    Raises:
        ArtifactRefusedError: As for :func:`digest`.
        ModelsUnavailableError: The destination exists, or source or destination cannot be read or written.
    """
    files = _files(source)
    try:
        destination.mkdir(mode=0o700)
        for file in files:
            target = destination / file.name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                for block in _blocks(file):
                    out.write(block)
    except OSError as error:
        raise ModelsUnavailableError(
            f"The model cannot be copied to '{destination}': {error.strerror}.",
            "Name a folder that does not exist yet, on a disk you may write to.",
        ) from error
    return destination


@dataclass(frozen=True)
class Facts:
    """What a run must know of a version beside its estimator; part of the artifact, so its digest binds it.

    Args:
        service: Id of the service.
        recipe: Name of the recipe.
        threshold: Score (0..1) at or above which a person is offered the service.
        capacity: Share of people (0..1) the threshold was set for.
        features: The columns the estimator takes, in order.
        contract_digest: Digest of the service's data contract when it was trained.
        data_digest: Digest of the rows it was trained on.
        seed: Of its training.
        notes: What happened in training that a reader must know.
    """

    service: str
    recipe: str
    threshold: float
    capacity: float
    features: tuple[str, ...]
    contract_digest: str
    data_digest: str
    seed: int
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"v": 1, **asdict(self)}


def write_facts(folder: Path, known: Facts) -> None:
    """Put the facts into an artifact that is being made, before its digest is taken."""
    text = json.dumps(known.document(), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / FACTS_FILE).write_text(text + "\n", encoding="utf-8")


def facts(folder: Path) -> Facts:
    """The facts stored in an artifact. Check the folder's :func:`digest` first.

    Raises:
        ArtifactRefusedError: No facts, or not in the form of this version.
        ModelsUnavailableError: The folder is not there or cannot be read.
    """
    files = {file.name: file for file in _files(folder)}
    if FACTS_FILE not in files:
        raise ArtifactRefusedError(
            f"The artifact has no {FACTS_FILE}: luvalla did not log it.",
            "Log the model with models.registry.",
        )
    try:
        document = json.loads(b"".join(_blocks(files[FACTS_FILE])))
        if document.pop("v") != 1:
            raise ArtifactRefusedError(f"{FACTS_FILE} is of another version.", "Update luvalla.")
        found = Facts(
            **{**document, "features": tuple(document["features"]), "notes": tuple(document["notes"])}
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactRefusedError(f"{FACTS_FILE} is not readable.", "The file was changed.") from error
    if not isinstance(found.threshold, float) or not 0.0 <= found.threshold <= 1.0:
        raise ArtifactRefusedError(
            f"{FACTS_FILE} holds no threshold between 0 and 1.", "The file was changed."
        )
    return found


def load(folder: Path) -> Any:
    """The estimator in an artifact folder, through skops and our own list of trusted types.

    Check the folder's :func:`digest` first: this function says that the file holds nothing foreign, not that it is the
    model that was signed.

    Returns:
        A fitted scikit-learn Pipeline.

    Raises:
        ArtifactRefusedError: A pickle in the folder, no ``model.skops``, a type that is not on the list, or bytes that are
            no skops file.
        ModelsUnavailableError: The folder is not there or cannot be read.
    """
    # scikit-learn and skops cost 2 s: whoever only takes digests does not pay.
    import skops.io  # noqa: PLC0415 - see above
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - see above

    from models.estimators import TRUSTED_TYPES  # noqa: PLC0415 - see above

    files = {file.name: file for file in _files(folder)}
    pickles = sorted(name for name in files if name.lower().endswith(_PICKLES))
    if pickles:
        raise ArtifactRefusedError(
            f"The artifact holds a pickle ({pickles[0]}), which can run anything when it is opened.",
            "Log the model with models.registry, which stores it with skops.",
        )
    if MODEL_FILE not in files:
        raise ArtifactRefusedError(
            f"The artifact has no {MODEL_FILE}.",
            "Log the model with models.registry, which stores it with skops.",
        )
    content = b"".join(_blocks(files[MODEL_FILE]))
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES))
        estimator = None if foreign else skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except Exception as error:  # skops raises whatever the bytes lead it to; none of it may leave this room
        raise ArtifactRefusedError(
            f"{MODEL_FILE} is no readable skops file ({type(error).__name__}).",
            "The file was cut short or changed.",
        ) from error
    if foreign:
        raise ArtifactRefusedError(
            f"The model holds types that are not trusted: {', '.join(foreign[:3])}.",
            "Use the estimators of models.estimators; a new type needs a decision, not a setting.",
        )
    if not isinstance(estimator, Pipeline):
        raise ArtifactRefusedError(
            f"{MODEL_FILE} holds a {type(estimator).__name__}, a scikit-learn Pipeline was expected.",
            "Log the model with models.registry.",
        )
    return estimator


def _files(folder: Path) -> list[_File]:
    """Every regular file below the folder, by posix path, after the checks that hold for the folder as a whole."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise ArtifactRefusedError(f"'{folder}' is not a folder.", "An artifact is a folder.")
        found = sorted(_walk(folder, ""), key=lambda file: file.name)
    except OSError as error:
        raise ModelsUnavailableError(
            f"The model '{folder}' cannot be read: {error.strerror}.", "Check the path."
        ) from error
    found = [file for file in found if file.name != REGISTRY_NOTE]
    if not found:
        raise ArtifactRefusedError(f"The artifact '{folder}' is empty.", "Download the version again.")
    if len(found) > MAXIMUM_FILES or sum(file.size for file in found) > MAXIMUM_BYTES:
        raise ArtifactRefusedError(
            f"The artifact holds more than {MAXIMUM_FILES} files or {MAXIMUM_BYTES >> 20} MiB.",
            "It is not one of ours.",
        )
    folded: dict[str, str] = {}
    for file in found:
        for part in _prefixes(file.name):
            other = folded.setdefault(part.casefold(), part)
            if other != part:
                raise ArtifactRefusedError(
                    f"Two names differ only in case: '{other}' and '{part}'.",
                    "On some disks they are one file: rename one and log the model again.",
                )
    return found


def _walk(folder: Path, prefix: str) -> Iterator[_File]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if not entry.name.isascii() or not entry.name.isprintable() or "\\" in entry.name:
                raise ArtifactRefusedError(
                    f"A file name in the artifact is not plain ASCII: {name!a}.",
                    "Rename it and log the model again.",
                )
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walk(Path(entry.path), name + "/")
            elif stat.S_ISREG(mode):
                yield _File(name, Path(entry.path), entry.stat(follow_symlinks=False).st_size)
            else:
                kind = "a link" if stat.S_ISLNK(mode) else "no ordinary file"
                raise ArtifactRefusedError(
                    f"'{name}' in the artifact is {kind}.", "An artifact holds ordinary files only."
                )


def _blocks(file: _File) -> Iterator[bytes]:
    """The file's bytes. O_NOFOLLOW: a file swapped for a link since the walk is not followed."""
    try:
        handle = os.open(file.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as stream:
            while block := stream.read(_CHUNK):
                yield block
    except OSError as error:
        raise ModelsUnavailableError(
            f"'{file.name}' of the model cannot be read: {error.strerror}.", ""
        ) from error


def _prefixes(name: str) -> Iterator[str]:
    """``a/b/c`` -> ``a``, ``a/b``, ``a/b/c``: folders may collide by case as well as files."""
    parts = name.split("/")
    return ("/".join(parts[: k + 1]) for k in range(len(parts)))
