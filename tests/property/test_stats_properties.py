"""What holds for every set of differences and p-values."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from pytest_aioncall.stats.holm import holm, tarone_holm
from pytest_aioncall.stats.lattice import score_kind, sign_sum_below, whole
from pytest_aioncall.stats.passbound import clustered_bound
from pytest_aioncall.stats.permute import permute_epochs
from pytest_aioncall.stats.signflip import sign_flip

quick = settings(max_examples=80, deadline=None)
steps = st.lists(st.integers(-9, 9).filter(bool), min_size=1, max_size=11)
levels = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@given(steps)
@quick
def test_the_lattice_null_equals_enumeration(units: list[int]) -> None:
    sizes = np.abs(units)
    sums = np.array([np.dot(sizes, signs) for signs in itertools.product((-1, 1), repeat=len(units))])
    expected = np.mean(sums < sum(units)) + np.mean(sums == sum(units)) / 2
    assert sign_sum_below(sizes, total=sum(units)) == pytest.approx(expected, abs=1e-12)


@given(steps)
@quick
def test_a_drop_and_its_mirror_share_the_whole(units: list[int]) -> None:
    """Mid-p of the data and of their negative add up to one, exactly on a lattice and off it."""
    for step in (1.0, None):
        data = np.array(units, dtype=float)
        there = sign_flip(data, step=step, alpha=0.05, resolution=1e-4)
        back = sign_flip(-data, step=step, alpha=0.05, resolution=1e-4)
        assert there.p + back.p == pytest.approx(1.0, abs=1e-9)
        assert min(there.p, back.p) >= there.p_min - 1e-12


@given(steps, st.integers(1, 1000))
@quick
def test_the_unit_of_the_scale_is_of_no_account(units: list[int], factor: int) -> None:
    data = np.array(units, dtype=float)
    once = sign_flip(data, step=1.0, alpha=0.05, resolution=1e-4).p
    scaled = sign_flip(data * factor / 7, step=factor / 7, alpha=0.05, resolution=1e-4).p
    assert scaled == pytest.approx(once, abs=1e-12)


@given(st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), min_size=1, max_size=5))
@quick
def test_swapping_the_two_runs_mirrors_the_permutation_p(cases: list[list[int]]) -> None:
    scores = np.array(cases, dtype=float)
    there = permute_epochs(scores[:, :2], scores[:, 2:], step=1.0, alpha=0.05, resolution=1e-4)
    back = permute_epochs(scores[:, 2:], scores[:, :2], step=1.0, alpha=0.05, resolution=1e-4)
    assert there.p + back.p == pytest.approx(1.0, abs=1e-9)
    assert there.p >= there.p_min - 1e-12


@given(levels)
@quick
def test_holm_is_statsmodels_holm(p: np.ndarray) -> None:
    gc.freeze()  # The oracle collects garbage at every call: what other tests left, it need not walk.
    try:
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    finally:
        gc.unfreeze()


@given(levels, st.data())
@quick
def test_tarone_never_rejects_less_than_holm_nor_what_cannot_reject(
    p: np.ndarray, data: st.DataObject
) -> None:
    p_min = np.array([data.draw(st.floats(0, float(one))) for one in p])
    found = tarone_holm(p, p_min=p_min, alpha=0.05)
    assert set(np.flatnonzero(holm(p) <= 0.05)) <= set(np.flatnonzero(found.adjusted <= 0.05 + 1e-9))
    assert np.all(found.adjusted[~found.testable] == 1.0)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=60), st.integers(1, 20))
@quick
def test_the_bound_lies_around_the_mean_and_more_alpha_narrows_it(values: list[float], clusters: int) -> None:
    data, codes = np.array(values), np.arange(len(values)) % clusters
    pair = np.array([1.0, -1.0])
    wide = clustered_bound(data, clusters=codes, pseudo=pair, alpha=0.05)
    narrow = clustered_bound(data, clusters=codes, pseudo=pair, alpha=0.2)
    assert wide.low < narrow.low < wide.center < narrow.high < wide.high
    assert wide.center == pytest.approx(data.sum() / (data.size + 2))


@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 40), min_size=1, max_size=30),
    st.sampled_from([1.0, 4.0, 100.0]),
)
@quick
def test_scores_on_a_lattice_are_seen_to_be_on_it(cells: int, places: list[int], span: float) -> None:
    values = 1 + span * np.minimum(np.array(places), cells) / cells
    kind = score_kind(values, low=1.0, high=1 + span)
    assert kind.step is not None
    assert kind.step >= span / cells - 1e-9
    assert whole(values - 1, step=kind.step) is not None
