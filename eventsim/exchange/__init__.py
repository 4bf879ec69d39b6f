"""Networks and weights of other tools, a folder each."""
