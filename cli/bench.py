"""``eventsim bench``: how fast the engine is on this machine."""

import pathlib

import click

from eventsim.cli import options


@options.command
@click.option("--arch", default="smlp", show_default=True, metavar="NAME|NOTATION", help="Network to run.")
@click.option("--data", default="synthetic", show_default=True, metavar="PATH|synthetic",
              help="Where samples are from.")
@click.option("--batch", type=click.IntRange(1, 4096), default=8, show_default=True, metavar="N",
              help="Samples a batch.")
@click.option("--rates", default="4,11.5", show_default=True, metavar="R[,R...]",
              help="Spikes a neuron and sample that weights are scaled to, one run each.")
@click.option("--growth", is_flag=True, help="Also measure how time and memory grow (some minutes).")
@click.option("--plot", type=click.Path(path_type=pathlib.Path), metavar="FILE", help="Write the growth as a picture.")
@click.option("--stream", is_flag=True, help="Measure a stream instead: events/s, latency, memory (of mlp512).")
@click.option("--events", type=click.IntRange(1, 10**12), default=10**6, show_default=True, metavar="N",
              help="Events of the stream that is measured.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of the weights.")
@options.device_option
@options.force_option
@options.threads_option
@options.json_option
@click.pass_context
def bench(context, arch, data, batch, rates, growth, plot, stream, events, seed, device, force, as_json):
    """Measure the engine's speed on this machine.

    Prints the time a sample of inference in every precision of weights and of a training step, the latency of one
    sample by itself, the peak memory of a training step, and for every phase on one core its rate and the share of the
    bandwidth that bounds it. Speed of a spiking network means nothing without its activity, so it is measured at named
    ones. Every figure is a median after a warm-up.

    With --stream the samples are replayed one behind the other, over and over, through a network that runs on them as
    they come, on one thread: events/s that it sustains, how long output spikes take to come out where half as many
    come by the clock on the wall, and the memory on the way.

    With --device gpu the same of a GPU: inference, a training step, one sample alone, and for every phase the least
    time that the bytes it reads and its additions can take there, and what share of its time that is.

    \b
    Examples:
      eventsim bench
      eventsim bench --arch mlp512 --data N-MNIST/ --batch 64 --rates 4
      eventsim bench --growth --plot growth.png --json > bench.json
      eventsim bench --stream --rates 4 --events 100000000
      eventsim bench --device gpu --arch scnn --batch 512
    """
    from eventsim.bench import machine as machines
    from eventsim.bench import memory, phases, scene, whole
    from eventsim.cli.output import busy, print_json
    from eventsim.kernels import threads
    from eventsim.report import benchmark

    rates = _rates(rates)
    if stream:
        options.refuse_typed(context, {"growth", "plot", "device", "force"},
                             "is no part of --stream; leave one of them out")
        _streams(arch if options.typed(context, "arch") else "mlp512", data, batch, rates, events, seed, as_json)
        return
    options.refuse_typed(context, {"events"}, "goes with --stream; add it, or leave this out")
    if device != "cpu":
        options.refuse_typed(context, {"growth", "plot", "force"}, "goes with the CPU only; leave it or --device out")
        _on_gpu(device, arch, data, batch, rates, seed, as_json)
        return
    if plot is not None:
        _check_plot(plot, growth, force)
    with busy("measuring the machine"):
        machine = machines.measure()
    runs = []
    for rate in rates:
        with busy(f"{arch} at {rate:g} spikes a neuron (kernels compile when first used)"):
            built = scene.build(arch, data, batch, rate, seed)
            figures = whole.measure(built)
            figures["phases"] = phases.forward_phases(built, machine) + phases.backward_phases(built, machine)
            figures["memory"] = memory.of_training(arch=arch, data=data, batch=batch, rate=rate, seed=seed)
        runs.append((rate, figures))
    curves = _growth(seed) if growth else []
    if as_json:
        print_json({
            "machine": vars(machine), "arch": built.network.arch.notation, "data": data, "batch": batch,
            "threads": threads(),
            "runs": [{"rate": rate, **figures, "phases": benchmark.phase_dicts(figures["phases"])}
                     for rate, figures in runs],
            "growth": benchmark.curve_dicts(curves),
        })
    else:
        _show(machine, built, batch, runs, curves)
    if plot is not None:
        _write_plot(curves, plot)


def _show(machine, built, batch, runs, curves):
    from eventsim.cli.output import show
    from eventsim.report import benchmark

    show([*benchmark.machine_facts(machine), ("Network", built.network.arch.notation), ("Batch", batch)])
    for _, figures in runs:
        show("", *_run(figures))
    if curves:
        show("", benchmark.growth_table(curves), "", "Exponents are fitted to the upper half of the points.")


def _streams(arch, data, batch, rates, n_events, seed, as_json):
    """Measure a stream at every rate."""
    from eventsim.bench import machine as machines
    from eventsim.bench.stream import measure
    from eventsim.cli.output import busy, print_json, show
    from eventsim.report import benchmark

    with busy("measuring the machine"):
        machine = machines.measure()
    runs = []
    for rate in rates:
        with busy(f"a stream through {arch} at {rate:g} spikes a neuron (kernels compile when first used)"):
            runs.append({"rate": rate, **measure(arch, data, batch, rate, seed, n_events)})
    if as_json:
        print_json({"machine": vars(machine), "arch": arch, "data": data, "batch": batch, "streams": runs})
        return
    show([*benchmark.machine_facts(machine), ("Network", f"{arch}, recordings of {data}, {batch} of them")])
    for run in runs:
        show("", benchmark.stream_facts(run))


def _on_gpu(device, arch, data, batch, rates, seed, as_json):
    """Measure a GPU at every rate."""
    from eventsim.bench import gpu, scene
    from eventsim.cli.output import busy, print_json, show
    from eventsim.engine.gpu.devices import open_device
    from eventsim.report import benchmark

    opened = open_device(device)
    with busy("measuring the GPU"):
        limits = gpu.measure(opened)
    runs = []
    for rate in rates:
        with busy(f"{arch} at {rate:g} spikes a neuron (kernels compile when first used)"):
            built = scene.build(arch, data, batch, rate, seed)
            runs.append({"rate": rate, **gpu.run(built, opened, limits)})
    notation = built.network.arch.notation
    if as_json:
        print_json({"gpu": vars(limits), "arch": notation, "data": data, "batch": batch,
                    "runs": [benchmark.gpu_dict(run) for run in runs]})
        return
    show([*benchmark.gpu_facts(limits), ("Network", notation), ("Batch", batch)])
    for run in runs:
        show("", [_activity(run)], "", *benchmark.gpu_tables(run))


def _activity(figures):
    from eventsim.report import numbers

    return ("Activity", f"{numbers.rates(figures['activity'])} spikes a neuron, {numbers.large(figures['synops'])} "
                        "SynOps a sample")


def _rates(text):
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError:
        rates = [0.0]
    if not all(0.0 < rate < 1000.0 for rate in rates):
        raise click.BadParameter(f"{text!r} is no list of spikes a neuron; write numbers above 0, e.g. 4,11.5",
                                 param_hint="--rates")
    return rates


def _run(figures):
    from eventsim.report import benchmark

    facts = [
        _activity(figures),
        ("Memory", f"{benchmark.memory(figures['memory']['peak'])} at the peak of a training step, "
                   f"{benchmark.memory(figures['memory']['before'])} before the network was built"),
    ]
    if "speedup" in figures:
        speedup = figures["speedup"]
        facts.append(("Threads", f"{speedup['threads']} are {speedup['inference']:.2f} times as fast as one in "
                                 f"inference, {speedup['training']:.2f} times in training"))
    return [facts, "", benchmark.whole_table(figures), "", benchmark.phase_table(figures["phases"])]


def _growth(seed):
    import numpy as np

    from eventsim.bench.growth import curves
    from eventsim.cli.output import progress_console

    run = curves(np.random.default_rng(seed))
    with progress_console().status("growth") as status:
        while True:
            try:
                name, x = next(run)
            except StopIteration as done:
                return done.value
            status.update(f"growth with {name}: {x:,}")


def _check_plot(path, growth, force):
    """Before minutes are spent on what could not be drawn."""
    if not growth:
        raise click.UsageError("--plot draws the growth; add --growth")
    options.check_picture(path, force)


def _write_plot(curves, path):
    from eventsim import plot
    from eventsim.cli.output import progress_console

    plot.save(plot.growth(curves), path)
    progress_console().print(f"The curves are in {path}.")
