"""Types of numpy arrays, one name for each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Indexes = NDArray[np.intp]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Matrix = NDArray[Any]
