"""Networks and weights in the files of other tools; a folder for each."""
