"""The pixels of an event camera, which follow the log intensity of a moving scene."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_GROW = np.int32(Status.GROW)


@kernel
def camera_events(scene, row, column, down, right, width, height, step, follow, leak, threshold, refractory, phase,
                  progress, t, x, y, p):
    """Events of every pixel, one pixel after the other, each pixel's in the order of time.

    A photoreceptor follows the log intensity I with a first-order lag; a comparator holds the level at its last reset
    and signals where the receptor is one threshold above (ON) or below (OFF) it. The pixel then rests for its
    refractory period and is reset at its end, so that what changes meanwhile is lost (Lichtsteiner et al. 2008):

        v <- v + follow (I - v)                        every step; linear in between, so crossings fall between steps
        ON  at the first t with v(t) - reset >= threshold[0],   OFF with reset - v(t) >= threshold[1]
        reset = v(t + refractory);  reset <- reset - leak every step, which is an ON event now and then

    scene : float64[rows,columns], log intensity, wide enough for every index below
    row, column : int64[steps + 1]; down, right : float64[steps + 1] in 0..1
        In step k, pixel (x, y) sees the bilinear mean of scene[row[k] + y, column[k] + x] and its neighbours below and
        to the right, with these weights
    width, height : pixels of the sensor; step : us; follow : share of the distance, 0..1; leak : log units a step
    threshold : float64[2,pixels], log units, ON and OFF; refractory : float64[pixels], us
    phase : float64[pixels], reset level at the start, log units from the intensity
    progress : int64[2], out: the next pixel and the number of events so far; zeros at the start
    t : float64[events], us; x, y : uint16[events]; p : uint8[events]; out

    Status GROW: the event columns are full. Copy the first ``progress[1]`` events to longer ones and call again.
    """
    events = progress[1]
    rate = 1.0 / step
    for pixel in range(progress[0], width * height):
        py, px = pixel // width, pixel % width
        on, off, rest = threshold[0, pixel], threshold[1, pixel], refractory[pixel]
        v = 0.0
        reset = 0.0
        ready = 0.0
        resting = False
        for k in range(len(row)):
            # Unsigned, so that no index is tested for being negative: a third of the kernel's time.
            r, c = np.uint64(row[k] + py), np.uint64(column[k] + px)
            r1, c1 = np.uint64(row[k] + py + 1), np.uint64(column[k] + px + 1)
            above = scene[r, c] + right[k] * (scene[r, c1] - scene[r, c])
            below = scene[r1, c] + right[k] * (scene[r1, c1] - scene[r1, c])
            seen = above + down[k] * (below - above)
            if k == 0:
                v = seen
                reset = seen + phase[pixel]
                continue
            now = (k - 1) * step
            slope = follow * (seen - v) * rate
            reset -= leak
            while True:
                if resting:
                    if ready >= k * step:
                        break
                    reset = v + slope * (ready - now)
                    resting = False
                level = v + slope * step  # at the end of the step
                if level - reset >= on:
                    up, bound = 1, reset + on
                elif reset - level >= off:
                    up, bound = 0, reset - off
                else:
                    break
                # A leak can reach the threshold where the receptor stands still: then the event is due at once.
                when = now + (bound - v) / slope if slope != 0.0 else now
                when = min(max(when, ready, now), k * step)
                if events == len(t):
                    return _GROW
                t[events] = when
                x[events] = px
                y[events] = py
                p[events] = up
                events += 1
                ready = when + rest
                resting = True
            v += slope * step
        progress[0] = pixel + 1
        progress[1] = events
    return _OK
