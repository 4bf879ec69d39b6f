"""The rate regulariser as its definition reads."""


def rate_penalty(s, low, high, weight):
    """Penalty on one layer's spikes s[T, N] of one sample."""
    n = s.shape[1]
    rate = s.sum() / n
    penalty = 0.0
    if high is not None and rate > high:
        penalty += weight / 2 * n * (rate - high) ** 2
    if low is not None and rate < low:
        penalty += weight / 2 * n * (low - rate) ** 2
    return penalty


def rate_pressure(s, low, high, weight):
    """Its derivative by one of these spikes."""
    rate = s.sum() / s.shape[1]
    pressure = 0.0
    if high is not None and rate > high:
        pressure += weight * (rate - high)
    if low is not None and rate < low:
        pressure -= weight * (low - rate)
    return pressure
