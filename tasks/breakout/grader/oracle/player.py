"""A controller by hand: follows the ball's path down to the paddle's row and stands where it will arrive."""

import numpy as np

PADDLE_ROW, LAST = 9, 9
STAY, LEFT, RIGHT = 0, 1, 2


def load(path):
    return None


def act(policy, observations, reset, key):
    paddle = observations[:, PADDLE_ROW, :, 0].argmax(axis=1)
    row, column = place(observations[..., 1])
    last_row, last_column = place(observations[..., 2])
    sideways = np.sign(column - last_column)
    sideways = np.where(sideways == 0, np.where(column == 0, 1, -1), sideways)
    target = column.copy()
    falling = row >= last_row
    at, way = column.copy(), sideways.copy()
    for below in range(PADDLE_ROW):
        moving = falling & (row + below < PADDLE_ROW - 1)
        ahead = at + way
        bounced = moving & ((ahead < 0) | (ahead > LAST))
        at = np.where(moving, ahead.clip(0, LAST), at)
        way = np.where(bounced, -way, way)
    landing = (at + way).clip(0, LAST)
    either = np.where(np.random.default_rng(key).random(len(at)) < 0.5, at, landing)
    target = np.where(falling, np.where(row == PADDLE_ROW - 1, nearer(paddle, at, landing, either), at), column)
    return np.where(target < paddle, LEFT, np.where(target > paddle, RIGHT, STAY))


def nearer(paddle, at, landing, either):
    """Of the two columns that return the ball, one within a step of the paddle; drawn when both are."""
    near_at, near_landing = abs(at - paddle) <= 1, abs(landing - paddle) <= 1
    return np.where(near_at & near_landing, either, np.where(near_at, at, landing))


def place(picture):
    """Row and column of the one mark in each picture."""
    flat = picture.reshape(len(picture), -1).argmax(axis=1)
    return flat // (LAST + 1), flat % (LAST + 1)
