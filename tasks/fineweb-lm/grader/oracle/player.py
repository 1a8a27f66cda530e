"""The smoke profile's oracle: the process that made the tokens (data.py), as a model. Honest: it only looks back."""

import numpy as np
from safetensors.numpy import load_file

SUCCESSORS = 8


def load(path):
    """(2, vocabulary, vocabulary): probability of a token after the last one, and after the one before it."""
    facts = load_file(path)
    seed, vocabulary = int(facts["seed"][0]), int(facts["vocabulary"][0])
    random = np.random.RandomState(seed)
    weights = 0.5 ** np.arange(SUCCESSORS)
    tables = np.zeros((2, vocabulary, vocabulary))
    for table in tables:
        for row in table:
            row[random.permutation(vocabulary)[:SUCCESSORS]] = weights / weights.sum()
    return tables


def distributions(tables, last, before):
    """Log-probabilities of the next token; a thousandth is spread evenly, for what only a cut window can make."""
    mixed = (tables[0][last] + tables[1][before]) / 2
    return np.log(0.999 * mixed + 0.001 / tables.shape[-1])


def claims(tables, sequences):
    before = np.concatenate([sequences[:, :1], sequences[:, :-2]], axis=1)
    rows = distributions(tables, sequences[:, :-1], before)
    return np.take_along_axis(rows, sequences[:, 1:, None], axis=-1)[..., 0].astype(np.float32)


def next_token(tables, prefix):
    return distributions(tables, prefix[-1], prefix[max(0, len(prefix) - 2)]).astype(np.float32)
