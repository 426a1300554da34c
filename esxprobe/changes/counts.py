"""How often chance would have put so many high samples into the window: exact, and blind to distributions."""

from __future__ import annotations

import numpy as np

from esxprobe.arrays import Floats

_NEGLIGIBLE = 1e-15


def log_p_of_counts(reference: Floats, window: Floats, up: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Logarithm of the smallest two-sided p of three cuts: at the usual value, a deviation beyond it, and the most.

    Each cut counts the samples beyond it in the reference and in the window; the counts are tested by Fisher's
    exact test. Of the last cut, the largest value of the reference, this is the exceedance test (Gumbel and
    von Schelling 1950). The usual value is that of more than half of the reference's samples where there is one,
    else their mean: so series that mostly repeat one value are told by how often they leave it.

    Args:
        reference: (series, n) samples.
        window: (series, m) samples.
        up: (series,) whether the window was higher; else samples below the cuts are counted.
    """
    sign = np.where(up, 1.0, -1.0)[:, None]
    reference, window = reference * sign, window * sign
    n = reference.shape[1]
    usual = _majority(reference)
    mean = reference.sum(axis=1) / n
    deviation = np.sqrt(np.square(reference - mean[:, None]).sum(axis=1) / n)
    least = np.zeros(len(reference))
    for cut in (np.where(np.isnan(usual), mean, usual), mean + deviation, reference.max(axis=1)):
        beyond = (reference > cut[:, None]).sum(axis=1), (window > cut[:, None]).sum(axis=1)
        least = np.minimum(least, log_tail(beyond[0], n, beyond[1], window.shape[1]))
    return np.asarray(np.minimum(least + np.log(2), 0.0))


def _majority(values: Floats) -> Floats:
    """The value of more than half of each row's samples, NaN where there is none: such a value is the median."""
    middle = values.shape[1] // 2
    median = np.partition(values, middle, axis=1)[:, middle]
    return np.where(2 * (values == median[:, None]).sum(axis=1) > values.shape[1], median, np.nan)


def log_tail(
    before: np.ndarray[tuple[int], np.dtype[np.int64]],
    n: int,
    inside: np.ndarray[tuple[int], np.dtype[np.int64]],
    m: int,
) -> Floats:
    """Logarithm of the chance of so many or more in the window, all samples being alike (hypergeometric).

    Args:
        before: (series,) how many samples of the reference count.
        n: Samples of the reference.
        inside: (series,) how many samples of the window count.
        m: Samples of the window.
    """
    sums = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + m + 1)))))

    def choose(of: np.ndarray, some: np.ndarray | int) -> Floats:
        return np.asarray(sums[of] - sums[some] - sums[of - some])

    all_of = before + inside
    first = choose(all_of, inside) + choose(n + m - all_of, m - inside) - choose(np.array(n + m), m)
    total, term = np.ones(len(first)), np.ones(len(first))
    for step in range(m):
        count = inside + step
        with np.errstate(divide="ignore", invalid="ignore"):
            term = term * np.maximum((all_of - count) * (m - count), 0) / ((count + 1) * (n - all_of + count + 1))
        term = np.where(count < np.minimum(m, all_of), term, 0.0)
        if not (term > _NEGLIGIBLE * total).any():
            break
        total = total + term
    return np.minimum(first + np.log(total), 0.0)
