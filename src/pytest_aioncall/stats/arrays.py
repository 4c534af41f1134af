"""Names for the arrays that all of stats/ takes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

# A p-value within this of its limit has reached it: rounding in a Fourier transform decides nothing.
P_TOLERANCE = 1e-12
