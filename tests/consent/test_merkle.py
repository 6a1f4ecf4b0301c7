from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.errors import ProofRangeError, TreeDamagedError
from consent.tlog import merkle
from consent.tlog.verify import VerificationError, verify_consistency, verify_inclusion
from tests.consent import second_verifier as naive
from tests.consent.vector_log import CT_LEAVES, MemoryLog

# Public reference values of the Certificate Transparency project for the leaves of `CT_LEAVES`, sizes 1 to 8.
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
ENTRIES = [b"entry %d" % number for number in range(70_000)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]


@pytest.fixture(scope="module")
def small():
    log = MemoryLog()
    log.append_leaves(LEAVES[:600])
    return log


@pytest.fixture(scope="module")
def large():
    log = MemoryLog()
    log.append_leaves(LEAVES)
    return log


def test_the_empty_tree_has_the_root_of_rfc_6962():
    assert (
        merkle.EMPTY_EDGE.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert merkle.root_of([]) == merkle.EMPTY_ROOT


def test_the_reference_tree_has_its_published_roots():
    log = MemoryLog()
    for entry, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        log.append(entry)
        assert log.edge.root().hex() == root
        assert naive.mth(log.entries).hex() == root


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 300))
def test_every_proof_of_a_tree_is_that_of_the_naive_reading_and_verifies(small, size):
    root = merkle.root_at(small, size)
    assert root == naive.mth(ENTRIES[:size]) == merkle.root_of(LEAVES[:size])
    for index in range(size):
        path = merkle.inclusion_proof(small, index, size)
        assert path == naive.path(index, ENTRIES[:size])
        assert path == merkle.path_of(LEAVES[:size], index)
        verify_inclusion(LEAVES[index], index, size, path, root)
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(small, old, size)
        assert proof == naive.proof(old, ENTRIES[:size])
        verify_consistency(old, merkle.root_at(small, old), size, root, proof)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_proof_of_something_else_does_not_verify(small, data):
    size = data.draw(st.integers(2, 600))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_proof(small, index, size)
    root = merkle.root_at(small, size)
    other = data.draw(st.integers(0, 600).filter(lambda number: number != index))
    wrong = [
        (LEAVES[index], other, size, path, root),
        (LEAVES[other], index, size, path, root),
        (LEAVES[index], index, size, path[:-1], root),
        (LEAVES[index], index, size, [*path, root], root),
        (LEAVES[index], index, size, [root, *path], root),
        (LEAVES[index], index, size, path, LEAVES[0]),
        (LEAVES[index], index, 0, path, root),
    ]
    wrong += [
        (LEAVES[index], index, size, [*path[:at], bytes(32), *path[at + 1 :]], root)
        for at in range(len(path))
    ]
    for arguments in wrong:
        with pytest.raises(VerificationError):
            verify_inclusion(*arguments)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_tree_that_does_not_continue_the_old_one_does_not_verify(small, data):
    size = data.draw(st.integers(2, 600))
    old = data.draw(st.integers(1, size - 1))
    proof = merkle.consistency_proof(small, old, size)
    old_root, root = merkle.root_at(small, old), merkle.root_at(small, size)
    wrong = [
        (old, LEAVES[-1], size, root, proof),
        (old, old_root, size, LEAVES[-1], proof),
        (old, old_root, size, root, proof[:-1]),
        (old, old_root, size, root, [*proof, root]),
        (0, merkle.EMPTY_ROOT, size, root, []),
        (0, merkle.EMPTY_ROOT, size, root, proof),
        (size, root, old, old_root, proof),
        (old, old_root, old, old_root, proof),
        (old, old_root, old, root, []),
    ]
    wrong += [
        (old, old_root, size, root, [*proof[:at], bytes(32), *proof[at + 1 :]]) for at in range(len(proof))
    ]
    for arguments in wrong:
        with pytest.raises(VerificationError):
            verify_consistency(*arguments)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 400), max_size=6))
def test_the_tree_does_not_depend_on_how_appends_are_cut(cuts):
    log = MemoryLog()
    for count in cuts:
        log.append_leaves(LEAVES[len(log.leaves) : len(log.leaves) + count])
        assert log.edge == merkle.load_edge(log, len(log.leaves))
    assert log.edge.root() == merkle.root_of(LEAVES[: sum(cuts)])
    assert set(log.tiles) == {(0, index) for index in range(sum(cuts) // 256)}
    for (_, index), tile in log.tiles.items():
        assert tile.hashes == b"".join(LEAVES[index * 256 : index * 256 + 256])
        assert tile.root == merkle.root_of(LEAVES[index * 256 : index * 256 + 256])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_792, 69_999, 70_000])
def test_trees_of_three_tile_levels(large, size):
    root = merkle.root_of(LEAVES[:size])
    assert merkle.root_at(large, size) == root
    for index in (0, 255, 256, 65_535 % size, size - 257, size - 1):
        path = merkle.inclusion_proof(large, index, size)
        assert path == merkle.path_of(LEAVES[:size], index)
        verify_inclusion(LEAVES[index], index, size, path, root)
    for old in (1, 255, 256, 257, 4_096, 65_535, size):
        proof = merkle.consistency_proof(large, old, size)
        verify_consistency(old, merkle.root_at(large, old), size, root, proof)


def test_only_full_tiles_are_stored(large):
    assert {key for key in large.tiles if key[0] == 1} == {(1, 0)}
    assert len([key for key in large.tiles if key[0] == 0]) == 273
    assert all(len(tile.hashes) == 8_192 for tile in large.tiles.values())


@settings(deadline=None)
@given(st.integers(0, 4_095))
def test_a_path_through_chunks_is_the_path(index):
    chunks = merkle.chunk_roots_of(LEAVES[:4_096], 1_024)
    start = index // 1_024 * 1_024
    assert merkle.path_in_chunks(LEAVES[start : start + 1_024], chunks, index) == merkle.path_of(
        LEAVES[:4_096], index
    )
    assert merkle.root_of(chunks) == merkle.root_of(LEAVES[:4_096])


@pytest.mark.parametrize(("count", "chunk"), [(100, 64), (64, 0), (60, 30)])
def test_chunks_are_powers_of_two_that_fit(count, chunk):
    with pytest.raises(ProofRangeError):
        merkle.chunk_roots_of(LEAVES[:count], chunk)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_proof_of_an_entry_outside_the_tree(small, index, size):
    with pytest.raises(ProofRangeError):
        merkle.inclusion_proof(small, index, size)
    with pytest.raises(ProofRangeError):
        merkle.path_of(LEAVES[:size], index)


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5), (-1, 5)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(small, old, size):
    with pytest.raises(ProofRangeError):
        merkle.consistency_proof(small, old, size)


def test_missing_hashes_are_damage_not_a_wrong_root():
    class Truncated(MemoryLog):
        def tile(self, level, index):
            return super().tile(level, index)[:-32]

        def span(self, level, start, end):
            return super().span(level, start, end)[:-32]

    log = Truncated()
    log.append_leaves(LEAVES[:300])
    with pytest.raises(TreeDamagedError, match="level 0"):
        merkle.root_at(log, 300)
    with pytest.raises(TreeDamagedError):
        merkle.inclusion_proof(log, 0, 300)
