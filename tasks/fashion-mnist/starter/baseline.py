"""The baseline: a small convolutional network. Reads $GYMBOARD_DATA, writes submission.csv.

Its last line is an estimate of the score, made on training images that it holds out.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

EPOCHS = int(os.environ.get("GYMBOARD_EPOCHS", "10"))
BATCH = int(os.environ.get("GYMBOARD_BATCH", "64"))
LEARNING_RATE = float(os.environ.get("GYMBOARD_LEARNING_RATE", "5e-5")) * float(
    os.environ.get("GYMBOARD_HP_RATE_TIMES", "1")
)
WARMUP_STEPS = int(os.environ.get("GYMBOARD_WARMUP_STEPS", "500"))
WEIGHT_DECAY = float(os.environ.get("GYMBOARD_HP_WEIGHT_DECAY", "0.01"))
MAX_NORM = 1.0
HELD_OUT = 0.04  # share of the training images that chooses the epoch

torch.manual_seed(42)
device = "cuda" if torch.cuda.is_available() else "cpu"
data = Path(os.environ["GYMBOARD_DATA"])
train, inputs = np.load(data / "train.npz"), np.load(data / "inputs.npz")


def pixels(images: np.ndarray) -> torch.Tensor:
    """Images as the network takes them: (n, channels, height, width), bytes."""
    return torch.from_numpy(images).unsqueeze(1)


def network(channels: int, side: int, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (side // 4) ** 2, classes),
    )  # fmt: skip


def scores(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part.to(device) / 255).cpu() for part in images.split(1000)])


images, labels = pixels(train["images"]), torch.from_numpy(train["labels"]).long()
shuffled = torch.randperm(len(labels))
held_out, rest = shuffled[: int(HELD_OUT * len(labels))], shuffled[int(HELD_OUT * len(labels)) :]

model = network(images.shape[1], images.shape[2], 10).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
steps = EPOCHS * -(-len(rest) // BATCH)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: min(step / max(WARMUP_STEPS, 1), (steps - step) / max(steps - WARMUP_STEPS, 1))
)
loss_of = nn.CrossEntropyLoss()
best, best_loss, estimate = None, float("inf"), 0.0
for epoch in range(EPOCHS):
    model.train()
    for batch in rest[torch.randperm(len(rest))].split(BATCH):
        loss = loss_of(model(images[batch].to(device) / 255), labels[batch].to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        schedule.step()
    found = scores(model, images[held_out])
    held_loss = loss_of(found, labels[held_out]).item()
    accuracy = (found.argmax(1) == labels[held_out]).float().mean().item()
    print(f"epoch {epoch + 1}: held-out loss {held_loss:.4f}, accuracy {accuracy:.4f}", flush=True)
    if held_loss < best_loss:
        best_loss, best = held_loss, {name: value.clone() for name, value in model.state_dict().items()}
        estimate = accuracy

model.load_state_dict(best)
predictions = scores(model, pixels(inputs["images"])).argmax(1).numpy()
pd.DataFrame({"id": inputs["ids"], "label": predictions}).to_csv("submission.csv", index=False)
print(f"wrote submission.csv with {len(predictions)} predictions")
print(f"estimate accuracy = {estimate:.6f}")
