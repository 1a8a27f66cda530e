"""The baseline: BERT with a classification head, one epoch. Reads $GYMBOARD_DATA, writes submission.csv."""

import os
from pathlib import Path

import pandas as pd
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

EPOCHS = int(os.environ.get("GYMBOARD_EPOCHS", "1"))
BATCH = int(os.environ.get("GYMBOARD_BATCH", "32"))
LEARNING_RATE = float(os.environ.get("GYMBOARD_LEARNING_RATE", "1e-7")) * float(
    os.environ.get("GYMBOARD_HP_RATE_TIMES", "1")
)
MAX_LENGTH = int(os.environ.get("GYMBOARD_MAX_LENGTH", "128"))
LABELS = ["entailment", "neutral", "contradiction"]

torch.manual_seed(42)
device = "cuda" if torch.cuda.is_available() else "cpu"
data = Path(os.environ["GYMBOARD_DATA"])
train = pd.read_csv(data / "train.csv", keep_default_na=False)
inputs = pd.read_csv(data / "inputs.csv", keep_default_na=False)
tokenizer = BertTokenizerFast(vocab=str(data / "bert/vocab.txt"), do_lower_case=True)


def encoder() -> BertForSequenceClassification:
    """The pre-trained weights; where there are none (the smoke profile), a small random encoder of the same class."""
    if (data / "bert/model.safetensors").is_file():
        return BertForSequenceClassification.from_pretrained(data / "bert", num_labels=len(LABELS))
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), num_labels=len(LABELS), **small))


def encoded(rows: pd.DataFrame) -> dict[str, torch.Tensor]:
    pairs = (rows["premise"].tolist(), rows["hypothesis"].tolist())
    tokens = tokenizer(*pairs, truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt")
    return {name: values.to(device) for name, values in tokens.items()}


model = encoder().to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
labels = torch.tensor([LABELS.index(label) for label in train["label"]])
for epoch in range(EPOCHS):
    model.train()
    for step, batch in enumerate(torch.randperm(len(train)).split(BATCH)):
        loss = model(**encoded(train.iloc[batch.tolist()]), labels=labels[batch].to(device)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"epoch {epoch + 1}, step {step}: loss {loss.item():.4f}", flush=True)

model.eval()
predicted: list[str] = []
with torch.no_grad():
    for start in range(0, len(inputs), 4 * BATCH):
        found = model(**encoded(inputs.iloc[start : start + 4 * BATCH])).logits.argmax(1)
        predicted += [LABELS[place] for place in found.tolist()]
pd.DataFrame({"id": inputs["id"], "label": predicted}).to_csv("submission.csv", index=False)
print(f"wrote submission.csv with {len(predicted)} predictions")
