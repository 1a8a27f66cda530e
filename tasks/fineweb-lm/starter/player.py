"""The artifact's code: the model, and the three functions that the grader calls: see instruction.md."""

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SMALL = 256


def half():
    """bfloat16 arithmetic on a GPU, float32 on a CPU."""
    return torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda")


def norm(x: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],))


def rotate(x: Tensor) -> Tensor:
    """Rotary positions. x: (batch, heads, length, channels)."""
    length, pairs = x.shape[-2], x.shape[-1] // 2
    speed = 10_000.0 ** -(torch.arange(pairs, device=x.device) / pairs)
    angle = torch.arange(length, device=x.device)[:, None] * speed
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.split(pairs, dim=-1)
    return torch.cat([first * cos + second * sin, second * cos - first * sin], dim=-1)


class Block(nn.Module):
    """Causal attention with normalised queries and keys, then a squared-ReLU MLP; both add to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attend = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = self.attend(norm(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(rotate(norm(query)), rotate(norm(key)), value, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(functional.relu(self.widen(norm(x))).square())


class Decoder(nn.Module):
    """Tokens (batch, length) -> logits of the next token (batch, length, vocabulary), in float32."""

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        if width < SMALL:  # threads cost such a model more than they save
            torch.set_num_threads(1)
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary, bias=False)
        nn.init.zeros_(self.head.weight)

    def hidden(self, tokens: Tensor) -> Tensor:
        x = norm(self.embedding(tokens))
        for block in self.blocks:
            x = block(x)
        return norm(x)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.hidden(tokens)).float()


def load(path: str) -> Decoder:
    """The model of a checkpoint. Its shape is in the file's metadata."""
    with safe_open(path, framework="pt") as file:
        shape = {name: int(file.metadata()[name]) for name in ("vocabulary", "width", "heads", "layers")}
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    model = Decoder(**shape)
    model.load_state_dict(weights)
    return model.to(DEVICE).eval()


@torch.inference_mode()
def claims(model: Decoder, sequences: np.ndarray) -> np.ndarray:
    """Log-probability of sequences[:, t + 1] after sequences[:, : t + 1], for every t: (batch, length), float32."""
    tokens = torch.from_numpy(sequences).to(DEVICE)
    with half():
        logits = model(tokens[:, :-1])
    return -functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none").cpu().numpy()


@torch.inference_mode()
def next_token(model: Decoder, prefix: np.ndarray) -> np.ndarray:
    """Log-probability of every token after `prefix`: (vocabulary,), float32."""
    tokens = torch.from_numpy(prefix).to(DEVICE)[None]
    with half():
        logits = model.head(model.hidden(tokens)[:, -1])
    return functional.log_softmax(logits.float(), dim=-1)[0].cpu().numpy()
