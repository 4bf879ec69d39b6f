"""How frameworks turn NIR's neurons in continuous time into ticks.

NIR says ``tau v' = (v_leak - v) + R I``, a spike where v > v_threshold, then v = v_reset. In a tick v becomes ``decay v
+ gain I``. What the frameworks do was read in their sources, snnTorch 1.0, Norse 1.1 and sinabs 2.0.

A Delay is x(t - delay). Delays are kept in ms: the grid rounds them to whole ticks, the exact clock does not. What
comes back to neurons takes a tick on the grid, as in all frameworks, or the Delay on its way where that is longer. None
of their imports has Delay nodes, and Norse's leaves them out without a word.
"""

import math
from dataclasses import dataclass

RESETS = ("hard", "subtract", "delayed")


@dataclass(frozen=True)
class Scheme:
    """One framework's ticks.

    about : what it is, for help
    exponential : v decays by exp(-dt / tau); else by Euler's 1 - dt / tau
    tick : a tick in the file's unit of time, where that is fixed; None: the file's unit must be told
    sums : input adds R I (W) to v, not (1 - decay) R I
    sums_current : a spike adds w_in to the current, not (1 - decay) w_in
    strict : a neuron fires where v > v_threshold; else where v >= v_threshold
    reset : "hard": to v_reset; "subtract" the threshold; "delayed": subtract it a tick later, after the decay
    r_of_lif, r_of_cuba : R that is written, "unit": 1, or "ticks": tau / dt, with which Euler's gain is 1
    reader_resets : what the framework does that reads what is written so, whatever the file says
    knows_v_reset : whether it resets to the file's v_reset, not to 0
    odd_if : what of IF it does not do, or ""
    lacks : what it does not read, types of nodes and "recurrence"
    """

    about: str
    exponential: bool = False
    tick: float | None = None
    sums: bool = False
    sums_current: bool = False
    strict: bool = True
    reset: str = "hard"
    r_of_lif: str = "ticks"
    r_of_cuba: str = "unit"
    reader_resets: str = "hard"
    knows_v_reset: bool = True
    odd_if: str = ""
    lacks: tuple[str, ...] = ()

    def decay(self, ratio) -> float:
        """What a tick leaves; ``ratio`` is dt / tau, for Euler below 1."""
        return math.exp(-ratio) if self.exponential else 1.0 - ratio

    def share(self, ratio) -> float:
        """1 - decay."""
        return -math.expm1(-ratio) if self.exponential else ratio

    def ratio(self, exact) -> float:
        """The dt / tau with which a tick leaves exp(-exact)."""
        return exact if self.exponential else -math.expm1(-exact)

    def exact(self, ratio) -> float:
        """The inverse of `ratio`."""
        return ratio if self.exponential else -math.log1p(-ratio)


# How a file was meant that is read.
READ = {
    "euler": Scheme("NIR's equations by Euler's method"),
    "exponential": Scheme("NIR's equations, exact for an input that is constant in a tick", exponential=True),
    "snntorch": Scheme("files of snnTorch, whose tick is 1e-4", tick=1e-4, reset="delayed"),
    "norse": Scheme("files of Norse's to_nir, which multiplies tau by its tick of 1e-3", tick=1e-6, sums_current=True),
    "sinabs": Scheme("files of sinabs, whose tau is in ticks, with norm_input", exponential=True, tick=1.0,
                     strict=False, reset="subtract"),
    "sinabs-sum": Scheme("the same without norm_input", exponential=True, tick=1.0, sums=True, strict=False,
                         reset="subtract"),
}

# For whom a file is written, and as what it is to be read.
WRITE = {
    "euler": READ["euler"],
    "exponential": READ["exponential"],
    "snntorch": Scheme("for snnTorch's import_from_nir", tick=1e-4, r_of_cuba="ticks", knows_v_reset=False,
                       odd_if="do not leak, as snnTorch's Leaky of beta 0.9 does",
                       lacks=("LI", "I", "Delay", "recurrence")),
    "norse": Scheme("for Norse's from_nir", tick=1e-3, r_of_lif="unit", knows_v_reset=False,
                    lacks=("LI", "I", "Delay")),
    "sinabs": Scheme("for sinabs' from_nir", exponential=True, tick=1.0, sums=True, strict=False, reset="subtract",
                     r_of_lif="unit", reader_resets="subtract", lacks=("I", "Delay"),
                     odd_if="have no lowest potential, where sinabs puts one at minus the threshold"),
}
AS_READ = {"euler": "euler", "exponential": "exponential", "snntorch": "euler", "norse": "euler",
           "sinabs": "sinabs-sum"}
