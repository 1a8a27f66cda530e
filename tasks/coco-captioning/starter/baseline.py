"""The baseline: a frozen encoder and an LSTM that writes the caption. Reads $GYMBOARD_DATA, writes captions.csv."""

import io
import os
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from encoder import encoder
from PIL import Image
from torch import nn

EPOCHS = int(os.environ.get("GYMBOARD_EPOCHS", "2"))
BATCH = int(os.environ.get("GYMBOARD_BATCH", "128"))
LEARNING_RATE = float(os.environ.get("GYMBOARD_LEARNING_RATE", "1e-3"))
EMBEDDING = int(os.environ.get("GYMBOARD_EMBEDDING", "256"))
HIDDEN = int(os.environ.get("GYMBOARD_HIDDEN", "512"))
SIDE = int(os.environ.get("GYMBOARD_SIDE", "224"))
MIN_COUNT, MAX_WORDS = 5, 30
PAD, START, END, UNKNOWN = range(4)
MEAN, SPREAD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

torch.manual_seed(42)
device = "cuda" if torch.cuda.is_available() else "cpu"
data = Path(os.environ["GYMBOARD_DATA"])


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())


def pixels(content: bytes) -> torch.Tensor:
    image = Image.open(io.BytesIO(content)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return ((torch.from_numpy(np.array(image)) / 255 - MEAN) / SPREAD).permute(2, 0, 1)


def features(archive: Path, names: list[str], model: nn.Module) -> torch.Tensor:
    """The encoder is frozen and pictures are not varied, so each is encoded once."""
    found = []
    with zipfile.ZipFile(archive) as images:
        for start in range(0, len(names), BATCH):
            batch = torch.stack([pixels(images.read(name)) for name in names[start : start + BATCH]])
            found.append(model(batch.to(device)).cpu())
            print(f"{archive.name}: {start + len(batch)} of {len(names)} encoded", flush=True)
    return torch.cat(found)


class Writer(nn.Module):
    def __init__(self, entering: int, vocabulary: int) -> None:
        super().__init__()
        self.picture = nn.Sequential(nn.Linear(entering, EMBEDDING), nn.BatchNorm1d(EMBEDDING))
        self.word = nn.Embedding(vocabulary, EMBEDDING, padding_idx=PAD)
        self.memory = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.next = nn.Linear(HIDDEN, vocabulary)

    def forward(self, pictures: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Scores of every next word after the picture and each token."""
        entering = torch.cat([self.picture(pictures).unsqueeze(1), self.word(tokens)], 1)
        return self.next(self.memory(entering)[0])

    def write(self, pictures: torch.Tensor) -> torch.Tensor:
        """The likeliest word each time."""
        written, state, step = [], None, self.picture(pictures).unsqueeze(1)
        for _ in range(MAX_WORDS):
            out, state = self.memory(step, state)
            written.append(self.next(out[:, -1]).argmax(1))
            step = self.word(written[-1]).unsqueeze(1)
        return torch.stack(written, 1)


train = pd.read_csv(data / "train.csv", keep_default_na=False)
inputs = pd.read_csv(data / "inputs.csv", keep_default_na=False)
counts = Counter(word for caption in train["caption"] for word in words(caption))
vocabulary = ["", "", "", "", *sorted(word for word, count in counts.items() if count >= MIN_COUNT)]
number = {word: place for place, word in enumerate(vocabulary) if word}
images = list(dict.fromkeys(train["image"]))
texts = train.groupby("image")["caption"].apply(list)
captions = [[[*(number.get(w, UNKNOWN) for w in words(t)[: MAX_WORDS - 1]), END] for t in texts[k]] for k in images]

frozen = encoder(data / "resnet50.pth").to(device)
seen, asked = (
    features(data / "train.zip", images, frozen),
    features(data / "inputs.zip", inputs["image"].tolist(), frozen),
)
model = Writer(frozen.features, len(vocabulary)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
loss_of = nn.CrossEntropyLoss(ignore_index=PAD)
random = np.random.RandomState(42)
for epoch in range(EPOCHS):
    model.train()
    losses = []
    for batch in torch.randperm(len(images)).split(BATCH):
        chosen = [torch.tensor(captions[k][random.randint(len(captions[k]))]) for k in batch.tolist()]
        targets = nn.utils.rnn.pad_sequence(chosen, batch_first=True, padding_value=PAD).to(device)
        scores = model(seen[batch].to(device), targets[:, :-1])
        loss = loss_of(scores.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)

model.eval()
written: list[str] = []
with torch.no_grad():
    for part in asked.split(BATCH):
        for row in model.write(part.to(device)).tolist():
            ended = row.index(END) if END in row else len(row)
            written.append(" ".join(vocabulary[place] for place in row[:ended] if vocabulary[place]) or "a")
pd.DataFrame({"image_id": inputs["image_id"], "caption": written}).to_csv("captions.csv", index=False)
print(f"wrote captions.csv with {len(written)} captions, such as: {written[0]}")
