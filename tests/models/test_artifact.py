from __future__ import annotations

import hashlib
import json
import os
import pickle
import socket
import stat
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from models import artifact
from models.errors import ArtifactRefusedError, ModelsUnavailableError
from models.health_benefit import SERVICE as HEALTH

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from models.training import FittedModel


@pytest.fixture
def folder(tmp_path: Path, fitted: FittedModel) -> Path:
    root = tmp_path / "model"
    (root / "sub").mkdir(parents=True)
    (root / "MLmodel").write_text("flavors: {}\n")
    (root / "sub" / "note.txt").write_text("n")
    skops.io.dump(fitted.estimator, root / "model.skops")
    return root


class Loud:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (os.system, ("touch LOUD",))


CHANGES = {
    "one byte": lambda root: (root / "MLmodel").write_text("flavors: {}\r"),
    "one file more": lambda root: (root / "sub" / "new.txt").write_text(""),
    "one file less": lambda root: (root / "sub" / "note.txt").unlink(),
    "another name": lambda root: (root / "MLmodel").rename(root / "MLmodel2"),
    "another folder": lambda root: (root / "sub").rename(root / "bus"),
    "a note of MLflow's, but not at the root": lambda root: (
        root / "sub" / "registered_model_meta"
    ).write_text("x"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_changes_the_digest(folder: Path, change: str) -> None:
    before = artifact.digest(folder)
    CHANGES[change](folder)
    assert artifact.digest(folder) != before


def test_times_modes_and_mlflows_own_note_do_not(folder: Path) -> None:
    before = artifact.digest(folder)
    os.utime(folder / "MLmodel", (1, 1))
    (folder / "MLmodel").chmod(0o600)
    (folder / "registered_model_meta").write_text("model_name: x\n")
    assert artifact.digest(folder) == before
    assert before.startswith("sha256:")
    assert len(before) == 7 + 64


def test_the_digest_is_the_published_one(tmp_path: Path) -> None:
    """Recomputed with nothing but hashlib: [["a/b.txt",2,sha256("hi")],["c",0,sha256("")]] as RFC 8785 JSON."""
    (tmp_path / "m" / "a").mkdir(parents=True)
    (tmp_path / "m" / "a" / "b.txt").write_bytes(b"hi")
    (tmp_path / "m" / "c").write_bytes(b"")
    text = (
        f'[["a/b.txt",2,"{hashlib.sha256(b"hi").hexdigest()}"],["c",0,"{hashlib.sha256(b"").hexdigest()}"]]'
    )
    assert artifact.digest(tmp_path / "m") == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def link_to_file(root: Path) -> None:
    (root / "sub" / "link").symlink_to(root / "MLmodel")


def link_to_folder(root: Path) -> None:
    (root / "linked").symlink_to(root / "sub", target_is_directory=True)


def dangling(root: Path) -> None:
    (root / "nowhere").symlink_to("/nowhere/at/all")


def pipe(root: Path) -> None:
    os.mkfifo(root / "pipe")


def unix_socket(root: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()  # noqa: PTH109 - the path of a socket has a small maximum length
    os.chdir(root)
    try:
        server.bind("sock")
    finally:
        os.chdir(here)
        server.close()


def same_name_in_capitals(root: Path) -> None:
    (root / "mlmodel").write_text("other")


def same_folder_in_capitals(root: Path) -> None:
    (root / "SUB").mkdir()
    (root / "SUB" / "other.txt").write_text("other")


def strange_name(root: Path) -> None:
    (root / "mod\nel").write_text("x")


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (link_to_file, "'sub/link' in the artifact is a link"),
        (link_to_folder, "'linked' in the artifact is a link"),
        (dangling, "'nowhere' in the artifact is a link"),
        (pipe, "'pipe' in the artifact is no ordinary file"),
        (unix_socket, "'sock' in the artifact is no ordinary file"),
        (same_name_in_capitals, "differ only in case: 'MLmodel' and 'mlmodel'"),
        (same_folder_in_capitals, "differ only in case: 'SUB' and 'sub'"),
        (strange_name, "not plain ASCII"),
    ],
)
def test_what_is_not_plain_files_is_refused_everywhere(
    folder: Path, tmp_path: Path, plant, message: str
) -> None:
    plant(folder)
    for use in (
        artifact.digest,
        artifact.load,
        artifact.facts,
        lambda f: artifact.private_copy(f, tmp_path / "copy"),
    ):
        with pytest.raises(ArtifactRefusedError, match=message) as caught:
            use(folder)
        assert caught.value.exit_code == 3
    assert not (tmp_path / "copy").exists()


def test_a_folder_that_is_itself_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder, target_is_directory=True)
    with pytest.raises(ArtifactRefusedError, match="is not a folder"):
        artifact.digest(tmp_path / "alias")


def test_nothing_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactRefusedError, match="is empty"):
        artifact.digest(tmp_path / "empty")
    with pytest.raises(ModelsUnavailableError, match="cannot be read"):
        artifact.digest(tmp_path / "away")


def test_a_private_copy_is_equal_and_only_ours(folder: Path, tmp_path: Path) -> None:
    (folder / "MLmodel").chmod(0o666)
    copy = artifact.private_copy(folder, tmp_path / "copy")
    assert artifact.digest(copy) == artifact.digest(folder)
    assert {stat.S_IMODE(each.stat().st_mode) for each in [copy, copy / "sub"]} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in copy.rglob("*") if each.is_file()} == {0o600}
    (folder / "MLmodel").write_text("changed afterwards")
    assert (copy / "MLmodel").read_text() == "flavors: {}\n"


def test_a_copy_never_goes_over_something_that_is_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(ModelsUnavailableError, match="cannot be copied"):
        artifact.private_copy(folder, tmp_path / "copy")


def test_the_model_comes_back_as_it_was(folder: Path, fitted: FittedModel, health: pd.DataFrame) -> None:
    X = health[list(HEALTH.features)]
    assert np.array_equal(artifact.load(folder).predict_proba(X), fitted.estimator.predict_proba(X))


def test_a_pickle_is_refused_and_never_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "model.pkl").write_bytes(pickle.dumps(Loud()))
    with pytest.raises(ArtifactRefusedError, match=r"holds a pickle \(model\.pkl\)"):
        artifact.load(folder)
    assert not (tmp_path / "LOUD").exists()


def test_a_pickle_called_skops_is_refused_and_never_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / "model.skops").write_bytes(pickle.dumps(Loud()))
    with pytest.raises(ArtifactRefusedError, match="no readable skops file"):
        artifact.load(folder)
    assert not (tmp_path / "LOUD").exists()


def test_a_type_that_is_not_on_our_list_is_refused_whatever_the_model_says_of_itself(
    folder: Path, health: pd.DataFrame
) -> None:
    X, y = health[["xage", "female"]], health["need"]
    forest = Pipeline([("model", RandomForestClassifier(n_estimators=2, max_depth=2).fit(X, y))])
    skops.io.dump(forest, folder / "model.skops")
    (folder / "MLmodel").write_text(
        "flavors:\n  sklearn:\n    skops_trusted_types: [sklearn.tree._tree.Tree]\n"
    )
    with pytest.raises(ArtifactRefusedError, match=r"not trusted: sklearn\.tree\._tree\.Tree"):
        artifact.load(folder)


def test_a_function_smuggled_into_the_skops_file_is_refused(folder: Path) -> None:
    """The classic: a schema that asks for os.system to be called when the file is opened."""
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 1,
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    with zipfile.ZipFile(folder / "model.skops", "w") as out:
        out.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ArtifactRefusedError, match=r"system|no readable skops"):
        artifact.load(folder)


def test_something_other_than_a_pipeline_is_refused(folder: Path, health: pd.DataFrame) -> None:
    skops.io.dump(LogisticRegression().fit(health[["xage"]], health["need"]), folder / "model.skops")
    with pytest.raises(ArtifactRefusedError, match="holds a LogisticRegression"):
        artifact.load(folder)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.99))
def test_a_model_cut_short_is_refused(folder: Path, fitted: FittedModel, share: float) -> None:
    content = skops.io.dumps(fitted.estimator)
    (folder / "model.skops").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ArtifactRefusedError):
        artifact.load(folder)


def test_facts_come_back_and_broken_ones_are_refused(folder: Path) -> None:
    facts = artifact.Facts("s", "r", 0.3, 0.2, ("a", "b"), "sha256:c", "sha256:d", 1, ("n",))
    (folder / "luvalla.json").write_text(json.dumps(facts.document()))
    assert artifact.facts(folder) == facts
    for change in ({"v": 2}, {"threshold": 1.5}, {"threshold": None}, {"extra": 1}, {"features": 3}):
        (folder / "luvalla.json").write_text(json.dumps({**facts.document(), **change}))
        with pytest.raises(ArtifactRefusedError):
            artifact.facts(folder)
    for text in ("", "[]", "null", "{"):
        (folder / "luvalla.json").write_text(text)
        with pytest.raises(ArtifactRefusedError):
            artifact.facts(folder)
    (folder / "luvalla.json").unlink()
    with pytest.raises(ArtifactRefusedError, match="luvalla did not log it"):
        artifact.facts(folder)
