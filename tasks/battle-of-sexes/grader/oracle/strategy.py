"""Always 0: after a first 0 the partner plays 0 with probability 0.8 in each of the nine other rounds."""


def row_strategy(history):
    return 0
