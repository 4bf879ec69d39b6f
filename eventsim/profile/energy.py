"""What the operations of a network might cost in energy: estimates, each with its source and what it assumes."""

from dataclasses import asdict, dataclass

HOROWITZ = "Horowitz 2014, Computing's energy problem, fig. 1.1.9 (45 nm, 0.9 V), doi:10.1109/ISSCC.2014.6757323"
LOIHI = "Davies et al. 2018, Loihi, table 2 (14 nm, 0.75 V), doi:10.1109/MM.2018.112130359"

# J of an addition and of a multiplication; what is summed up of int8 are int32.
_ADD = {"float32": 0.9e-12, "float16": 0.4e-12, "int8": 0.1e-12}
_MULTIPLY = {"float32": 3.7e-12, "float16": 1.1e-12, "int8": 0.2e-12}
_LOIHI_SYNOP, _LOIHI_UPDATE, _LOIHI_IDLE_UPDATE = 23.6e-12, 81e-12, 52e-12

ASSUMPTIONS = (
    "45 nm: arithmetic alone, an addition for a SynOp, a multiplication and an addition for a MAC; neurons, leakage "
    "and moving weights and spikes through memory, which costs more than either, are left out.",
    "Loihi: the least energy of a synaptic operation, and every neuron updated in every tick, the active rate in those "
    "in which it spikes; whether the network fits on a chip, spikes between cores and leakage are left out.",
)


@dataclass(frozen=True)
class Estimate:
    """Energy of a sample.

    name : what costs it; formula : how it was counted; source : where the energy of one operation is from
    """

    name: str
    joules: float
    formula: str
    source: str


def estimates(synops, dense_macs, updates, active_updates, weights="float32") -> list[Estimate]:
    """Estimates of a sample.

    synops, dense_macs : of a sample; updates : neurons times ticks; active_updates : those with a spike
    weights : their precision
    """
    add, multiply = _ADD[weights], _MULTIPLY[weights]
    idle = updates - active_updates
    return [
        Estimate("SynOps, 45 nm", synops * add, f"SynOps x {1e12 * add:g} pJ ({weights} addition)", HOROWITZ),
        Estimate("dense MACs, 45 nm", dense_macs * (add + multiply),
                 f"MACs x {1e12 * (add + multiply):g} pJ ({weights})", HOROWITZ),
        Estimate("SynOps, Loihi", synops * _LOIHI_SYNOP, "SynOps x 23.6 pJ", LOIHI),
        Estimate("neurons, Loihi", active_updates * _LOIHI_UPDATE + idle * _LOIHI_IDLE_UPDATE,
                 "neuron updates x 81 pJ with a spike, 52 pJ without", LOIHI),
    ]


def as_dict(found) -> dict:
    """Plain values."""
    return {"estimates": [asdict(one) for one in found], "assumptions": list(ASSUMPTIONS)}
