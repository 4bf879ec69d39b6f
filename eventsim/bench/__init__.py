"""How fast the engine is on this machine, against what its caches and memory can give."""
