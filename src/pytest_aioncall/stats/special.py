"""The few special functions that are needed, from scipy at their first use.

`scipy.special` costs 25 MiB and a quarter of a second; a run without a baseline computes none of them.
Signatures and meaning are scipy's: all take and return floats or arrays of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    ndtr, ndtri = _late("ndtr"), _late("ndtri")
    stdtr, stdtrit = _late("stdtr"), _late("stdtrit")
