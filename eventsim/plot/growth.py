"""How time and memory grow."""

from eventsim.plot.canvas import BLUE, new_figure, tidy


def growth(curves):
    """Time above and memory below, over what grows; ``curves`` are those of `eventsim.bench.growth`."""
    figure = new_figure(3.2 * len(curves), 5.6)
    grid = figure.subplots(2, len(curves), squeeze=False)
    for column, curve in zip(grid.T, curves, strict=True):
        for axis, name, label in zip(column, ("seconds", "peak"), ("time (s)", "peak memory (bytes)"), strict=True):
            axis.loglog(curve.x, getattr(curve, name), "o-", color=BLUE, markersize=4)
            axis.set(xlabel=curve.name, ylabel=label)
            axis.set_title(f"exponent {curve.exponent(name):.2f}" if len(curve.x) > 1 else "", fontsize=9)
            axis.grid(alpha=0.3, which="both")
            tidy(axis)
    return figure
