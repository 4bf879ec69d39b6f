"""What eventsim is measured against: dense spiking networks on torch, all behind the one interface of `base.Peer`.

Importing this package imports no peer and not torch: `available` does, and says why where it cannot.
"""

import importlib

# Name in the tables: module and class.
PEERS = {
    "dense SRM (torch)": "dense_srm:DenseSRM",
    "dense SRM, bf16 GEMM (torch)": "dense_srm:DenseSRMBfloat16",
    "SpikingJelly": "spikingjelly:SpikingJelly",
    "sinabs": "sinabs:Sinabs",
    "snnTorch": "snntorch:SnnTorch",
    "Norse": "norse:Norse",
}


def load(name):
    """The class of a peer; raises ImportError where its package is missing."""
    module, cls = PEERS[name].split(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), cls)


def available():
    """Two dicts: classes of the peers that can run here, and the reasons why the others cannot, both by name."""
    classes, reasons = {}, {}
    for name in PEERS:
        try:
            classes[name] = load(name)
        except ImportError as error:
            reasons[name] = str(error)
    return classes, reasons
