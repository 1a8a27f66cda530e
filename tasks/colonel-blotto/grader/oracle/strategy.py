"""Give up two battlefields, win the other four more often than not."""


def row_strategy(history):
    return [0, 0, 30, 30, 30, 30]
