"""`eventsim devices`."""

from eventsim.kernels.cuda import available
from eventsim.kernels.launch import available_cores

GPUS = [{"name": f"Fast {n}", "memory": 80 << 30, "compute_capability": "9.0"} for n in range(2)]


def test_says_what_is_missing(call, monkeypatch):
    monkeypatch.setattr(available, "missing", lambda: "there is no NVIDIA driver; install that of your GPU")
    assert "gpu        none: there is no NVIDIA driver; install that of your GPU" in call("devices")
    found = call("devices", "--json")
    assert found["gpus"] == [] and "driver" in found["missing"]
    assert found["cpu"]["threads"] == available_cores() and found["cpu"]["l2_bytes"] > 1000


def test_lists_every_gpu(call, monkeypatch):
    monkeypatch.setattr(available, "missing", lambda: None)
    monkeypatch.setattr(available, "describe", lambda: GPUS)
    monkeypatch.setattr(available, "missing_to_join", lambda: None)
    monkeypatch.setattr(available, "versions", lambda: {"cupy": "14.2.0", "cuda": "12.9", "driver": "12.8",
                                                        "nccl": "2.25.1"})
    text = call("devices")
    assert "gpu        Fast 0, 80 GiB, compute capability 9.0" in text and "gpu:1      Fast 1" in text
    assert "gpus       all of these at once, to train or evaluate\n" in text
    assert "versions   CuPy 14.2.0, CUDA 12.9, driver for CUDA 12.8, NCCL 2.25.1" in text
    found = call("devices", "--json")
    assert found["gpus"] == GPUS and found["versions"]["nccl"] == "2.25.1"
    monkeypatch.setattr(available, "missing_to_join", lambda: "NCCL is not installed; install it with X")
    monkeypatch.setattr(available, "versions", lambda: dict.fromkeys(("cupy", "cuda", "driver", "nccl")))
    assert ("gpus       all of these at once, to evaluate; not to train: NCCL is not installed; install it with X"
            in call("devices"))
    monkeypatch.setattr(available, "describe", lambda: GPUS[:1])
    assert "gpus" not in call("devices")


def test_whatever_is_installed_here_it_says_something(call):
    found = call("devices", "--json")
    assert bool(found["gpus"]) == (found["missing"] is None)
