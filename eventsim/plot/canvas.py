"""What pictures share: figures, colours, axes, and how they become files."""

from eventsim import checks, files
from eventsim.errors import ConfigError

FORMATS = ("png", "svg", "pdf")
_DPI = 200
# Okabe & Ito 2008: told apart with every kind of colour vision.
INK, BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = (
    "#222222", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00",
)
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, INK)
GREY = "#8A8A8A"


def require():
    """Raise `ConfigError` where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError('pictures need matplotlib; install it with `pip install "eventsim[plot]"`') from None


def new_figure(width, height):
    """An empty figure of so many inches that arranges its axes itself."""
    require()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def stacked(figure, heights):
    """Axes one below the other over the same time, of relative ``heights``."""
    axes = figure.subplots(len(heights), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis in axes:
        tidy(axis)
    return axes


def tidy(axis):
    """Small figures, and no frame but that of the two scales."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8, length=3)
    axis.xaxis.label.set_size(9)
    axis.yaxis.label.set_size(9)


def diverging():
    """A colour map from negative over white to positive."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("eventsim", ["#8C3D00", ORANGE, "#FFFFFF", BLUE, "#00436A"])


def framed(x, y, width, height):
    """A thin frame."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, fill=False, edgecolor=GREY, linewidth=0.5)


def checked_span(span, end) -> tuple:
    """``span`` as (first, last) in ms, by default all of ``end`` ms."""
    if span is None:
        return 0.0, end
    try:
        first, last = (checks.number("span", float(value)) for value in span)
    except (TypeError, ValueError):
        first, last = 0.0, 0.0
    if not first < last:
        raise ConfigError(f"span must be two times in ms, the first from 0 and the second after it, got {span!r}")
    return first, last


def format_of(path) -> str:
    """The format that the name of a picture says; raises `ConfigError` for none."""
    path = files.as_path(path)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: a picture's name ends in {', '.join(f'.{name}' for name in FORMATS)}; name it so")
    return suffix


def save(figure, path):
    """Write a figure to ``path``, all or nothing; the name says the format."""
    kind = format_of(path)
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=_DPI)
