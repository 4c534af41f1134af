"""Student's t without scipy: the same numbers as scipy's, and scipy is not loaded for them."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from scipy import special

from pytest_aioncall.stats import special as late
from pytest_aioncall.stats import student

DEGREES = [1.0, 2.0, 3.0, 3.7, 4.0, 5.5, 8.0, 19.0, 59.9, 60.1, 199.0, 1234.5, 9_999.0, 1e5, 1e6]


@pytest.mark.parametrize("df", DEGREES)
def test_the_share_below_t_is_scipys_in_both_tails(df: float) -> None:
    for t in [-30.0, -8.0, -4.5, -2.0, -1.0, -0.3, -1e-6, 0.0, 1e-6, 0.5, 1.7, 3.0, 12.0]:
        assert student.cdf(df, t) == pytest.approx(float(special.stdtr(df, t)), rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("df", DEGREES)
def test_the_quantile_is_scipys_at_every_level_that_a_gate_can_ask_for(df: float) -> None:
    for level in [
        1e-9,
        1e-6,
        0.0005,
        0.01,
        0.025,
        0.05,
        0.2,
        0.4999,
        0.5,
        0.6,
        0.95,
        0.975,
        0.9999,
        1 - 1e-9,
    ]:
        expected = float(special.stdtrit(df, level))
        # 1 - 1e-9 itself is only known to eight digits.
        assert student.quantile(df, level) == pytest.approx(expected, rel=1e-7 if level > 0.9999 else 1e-11)


def test_quantile_and_share_undo_each_other() -> None:
    for df in DEGREES:
        for level in [0.001, 0.05, 0.3, 0.5]:
            assert student.cdf(df, student.quantile(df, level)) == pytest.approx(level, rel=1e-12)


def test_normal_shares_and_quantiles_are_scipys() -> None:
    for z in [-37.0, -8.0, -1.96, 0.0, 0.5, 3.0, 9.0]:
        assert late.ndtr(z) == pytest.approx(float(special.ndtr(z)), rel=1e-13)
    for level in [1e-300, 1e-9, 0.025, 0.5, 0.95, 0.99999]:
        assert late.ndtri(level) == pytest.approx(float(special.ndtri(level)), rel=1e-13, abs=1e-15)


def test_levels_that_are_no_shares_are_scipys_to_answer() -> None:
    assert late.ndtri(0.0) == -math.inf
    assert late.ndtri(1.0) == math.inf
    assert math.isnan(late.ndtri(1.5))
    assert late.stdtrit(0.5, 0.95) == pytest.approx(float(special.stdtrit(0.5, 0.95)))
    assert math.isnan(late.stdtr(10.0, math.nan))


def test_single_numbers_do_not_load_scipy() -> None:
    """Loading it costs 25 MiB and a quarter of a second, in a run that asks for two quantiles."""
    code = (
        "import sys\n"
        "from pytest_aioncall.stats.special import ndtr, ndtri, stdtr, stdtrit\n"
        "ndtr(1.0), ndtri(.95), stdtr(100.0, 2.0), stdtrit(100.0, .95)\n"
        "sys.exit('scipy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
