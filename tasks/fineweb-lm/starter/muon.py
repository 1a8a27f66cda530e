"""Muon: momentum whose update is made orthogonal before it is applied. For matrices only; the rest takes Adam.

Source of the method and its constants: Keller Jordan et al., Muon: An optimizer for hidden layers (2024).
"""

import torch
from torch import Tensor

COEFFICIENTS = 3.4445, -4.7750, 2.0315


def orthogonal(matrix: Tensor, steps: int) -> Tensor:
    """The nearest orthogonal matrix, roughly, by a quintic Newton-Schulz iteration (bfloat16 on a GPU)."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16() if matrix.is_cuda else matrix
    x = x / (x.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """`lr` is the size of an update's typical entry, whatever the matrix's shape."""

    def __init__(self, params: list[Tensor], lr: float = 0.02, momentum: float = 0.95, steps: int = 5) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "steps": steps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                average = self.state[weight].setdefault("average", torch.zeros_like(weight))
                average.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(average, group["momentum"])  # Nesterov
                # The parts of a stacked query-key-value matrix are matrices of their own.
                parts = ahead.split(weight.shape[1]) if weight.shape[0] == 3 * weight.shape[1] else (ahead,)
                update = torch.cat([orthogonal(part, group["steps"]) for part in parts])
                scale = max(1.0, parts[0].shape[0] / parts[0].shape[1]) ** 0.5
                weight.add_(update, alpha=-group["lr"] * scale)
