"""vCPU time against faults: a regression whose interval holds when errors follow each other and grow with load.

References:
    Aitken (1935); Cochrane, Orcutt (1949): generalized least squares, here with errors that are AR(p), p by BIC
        (Schwarz 1978) up to `MOST_LAGS`, their coefficients from the Yule-Walker equations.
    MacKinnon, White (1985): HC3 variance, which holds when errors grow with load; Newey, West (1987): its few lags
    more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Bools, Floats, Indexes

CONFIDENCE = 0.95
# Of autoregression, and of what whitening left: more cost power and gained nothing in the simulations.
MOST_LAGS = 4
_LEFT_LAGS = 3
_ROUNDS = 3
# Fewer degrees of freedom than that give no interval worth printing.
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Fit:
    """A slope with its 95 % interval and p-value, NaN where there was too little; order of the autoregression."""

    value: float
    low: float
    high: float
    p: float
    order: int


NO_FIT = Fit(np.nan, np.nan, np.nan, np.nan, 0)


def regress(y: Floats, x: Floats, controls: Floats, stretch: Indexes, weights: Floats | None = None) -> Fit:
    """Slope of y on x with the controls held.

    Args:
        y: (n,) dependent.
        x: (n,) or (n, k) independent.
        controls: (n, c) what else moves y.
        stretch: (n,) number of the unbroken stretch of each sample, rising; nothing is differenced across a hole.
        weights: (k,) the slope given is the sum of the columns' slopes times these; 1 for one column.
    """
    from scipy.special import stdtr, stdtrit

    columns = x if x.ndim > 1 else x[:, None]
    want = np.ones(columns.shape[1]) if weights is None else weights
    table = np.column_stack((columns, np.ones(len(y)), controls))
    scale = np.abs(table).max(axis=0, initial=0.0)
    scaled = table / np.where(scale > 0, scale, 1.0)
    if len(y) <= table.shape[1] + _FEWEST:
        return NO_FIT
    phi, white, kept = _whiten(y, scaled, stretch)
    design, target = white[:, 1:], white[:, 0]
    freedom = len(target) - design.shape[1] - len(phi)
    if freedom < _FEWEST or np.linalg.matrix_rank(design[:, : columns.shape[1]]) < columns.shape[1]:
        return NO_FIT
    inverse = np.asarray(np.linalg.pinv(design.T @ design), dtype=np.float64)
    found: Floats = inverse @ (design.T @ target)
    left: Floats = target - design @ found
    variance = _variance(design, inverse, left, stretch[kept])
    pick = np.zeros(len(found))
    pick[: len(want)] = want / np.where(scale > 0, scale, 1.0)[: len(want)]
    value, error = float(pick @ found), max(float(pick @ variance @ pick), 0.0) ** 0.5
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(value) / error)) if error > 0 else np.nan
    return Fit(value, value - reach, value + reach, p, len(phi))


def _whiten(y: Floats, design: Floats, stretch: Indexes) -> tuple[Floats, Floats, Bools]:
    """Coefficients of the errors' autoregression, y beside the design without it, and which samples are left."""
    table = np.column_stack((y, design))
    found, *_ = np.linalg.lstsq(design, y, rcond=None)
    phi = np.zeros(0)
    white, kept = table, np.ones(len(y), dtype=np.bool_)
    for _ in range(_ROUNDS):
        new = autoregression(y - design @ found, stretch)
        settled = len(new) == len(phi) and bool(np.allclose(new, phi, atol=1e-3))
        phi = new
        white, kept = _filtered(table, phi, stretch)
        if settled or len(white) <= design.shape[1]:
            break
        found, *_ = np.linalg.lstsq(white[:, 1:], white[:, 0], rcond=None)
    return phi, white, kept


def autoregression(errors: Floats, stretch: Indexes) -> Floats:
    """(p,) coefficients of the AR(p) that BIC chooses; empty for none."""
    count = len(errors)
    centered = errors - errors.mean()
    covariance = []
    for lag in range(min(MOST_LAGS, count - 2) + 1):
        pairs = stretch[lag:] == stretch[: count - lag]
        products = (centered[lag:] * centered[: count - lag])[pairs]
        covariance.append(float(products.sum()) / max(int(pairs.sum()), 1))
    chosen, best = np.zeros(0), count * np.log(max(covariance[0], 1e-300))
    for order in range(1, len(covariance)):
        steps = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
        try:
            phi = np.linalg.solve(np.array(covariance)[steps], np.array(covariance[1 : order + 1]))
        except np.linalg.LinAlgError:
            break
        left = covariance[0] - float(phi @ np.array(covariance[1 : order + 1]))
        if left <= 0 or not stationary(phi):
            break
        bic = count * np.log(max(left, 1e-300)) + order * np.log(count)
        if bic < best:
            chosen, best = phi, bic
    return chosen


def stationary(phi: Floats) -> bool:
    """Whether an autoregression with these coefficients forgets: all roots of its polynomial are below 0.999.

    The partial autocorrelations of the coefficients, each divided by that power of 0.999, are within 1 (Durbin's
    recursion backwards, the test of Schur and Cohn). To find the roots takes ten times as long.

    Args:
        phi: (p,) coefficients, of lag 1 to p.
    """
    left = [float(each) / 0.999**lag for lag, each in enumerate(phi, start=1)]
    while left:
        last = left.pop()
        if not abs(last) < 1:
            return False
        left = [(one + last * other) / (1 - last * last) for one, other in zip(left, reversed(left), strict=True)]
    return True


def _filtered(table: Floats, phi: Floats, stretch: Indexes) -> tuple[Floats, Bools]:
    """Rows less what the rows before foretell, where these belong to the same stretch."""
    order = len(phi)
    kept = np.ones(len(table), dtype=np.bool_)
    if not order:
        return table, kept
    kept[:order] = False
    kept[order:] = stretch[order:] == stretch[:-order]
    new = table.copy()
    for lag, part in enumerate(phi, start=1):
        new[lag:] -= part * table[:-lag]
    return new[kept], kept


def _variance(design: Floats, inverse: Floats, left: Floats, stretch: Indexes) -> Floats:
    """Covariance of the coefficients: HC3 with a few lags, no variance below that of plain least squares."""
    leverage = np.clip(np.einsum("ij,jk,ik->i", design, inverse, design), 0.0, 0.99)
    scores = design * (left / (1 - leverage))[:, None]
    middle = scores.T @ scores
    for lag in range(1, min(_LEFT_LAGS, len(left) - 1) + 1):
        same = (stretch[lag:] == stretch[:-lag])[:, None]
        cross = (scores[lag:] * same).T @ scores[:-lag]
        middle += (1 - lag / (_LEFT_LAGS + 1)) * (cross + cross.T)
    robust = inverse @ middle @ inverse
    plain = inverse * (left @ left) / max(len(left) - design.shape[1], 1)
    least, found = np.diag(plain), np.diag(robust)
    # Below this share a variance is rounding, and may be negative: no factor makes the plain one of it.
    known = found > np.finfo(np.float64).eps * least
    grow = np.sqrt(np.maximum(np.divide(least, found, out=np.ones_like(least), where=known), 1.0))
    wider: Floats = robust * np.outer(grow, grow)
    np.fill_diagonal(wider, np.maximum(np.diag(wider), least))
    return wider
