"""The few special functions that are needed. Signatures and meaning are scipy's: floats or arrays of them.

`scipy.special` costs 25 MiB and a quarter of a second, as much as judging 10,000 cases. Single numbers, which
are all that most runs ask for, are reckoned here; arrays and what is out of range load scipy at their first
use.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from . import student

if TYPE_CHECKING:
    from scipy.special import bdtr as bdtr
    from scipy.special import bdtrc as bdtrc
    from scipy.special import betaln as betaln
    from scipy.special import ndtr as ndtr
    from scipy.special import ndtri as ndtri
    from scipy.special import stdtr as stdtr
    from scipy.special import stdtrit as stdtrit
else:

    def _late(name: str) -> Any:
        def function(*arguments: Any) -> Any:
            import scipy.special

            return getattr(scipy.special, name)(*arguments)

        function.__name__ = name
        return function

    bdtr, bdtrc, betaln = _late("bdtr"), _late("bdtrc"), _late("betaln")
    _ndtr, _ndtri, _stdtr, _stdtrit = _late("ndtr"), _late("ndtri"), _late("stdtr"), _late("stdtrit")
    _normal = NormalDist()

    def ndtr(z: Any) -> Any:
        return student.normal_cdf(z) if isinstance(z, float) else _ndtr(z)

    def ndtri(level: Any) -> Any:
        return _normal.inv_cdf(level) if isinstance(level, float) and 0 < level < 1 else _ndtri(level)

    def stdtr(df: Any, t: Any) -> Any:
        plain = isinstance(df, float) and isinstance(t, float) and student.covers(df) and t == t
        return student.cdf(df, t) if plain else _stdtr(df, t)

    def stdtrit(df: Any, level: Any) -> Any:
        plain = isinstance(df, float) and isinstance(level, float) and student.covers(df, level=level)
        return student.quantile(df, level) if plain else _stdtrit(df, level)
