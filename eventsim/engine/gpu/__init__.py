"""The engine on a GPU: the passes of `eventsim.engine` by the kernels of `eventsim.kernels.cuda`.

The functions here do for a layer whose weights are on a device what those of the same names do on the CPU, in the same
order of every operation. Spikes, active sets, errors and weights stay on the device; what is small comes to the host:
how many spikes there are, and the spikes of the output layer, for the loss.
"""
