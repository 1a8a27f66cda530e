"""A picture's features: ResNet-50 (He et al. 2015) with torchvision's names, or a small random network."""

from pathlib import Path

import torch
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        leaving = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(entering, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, leaving, 1, bias=False), nn.BatchNorm2d(leaving)
        self.downsample = None
        if stride != 1 or entering != leaving:
            shortcut = nn.Conv2d(entering, leaving, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(leaving))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.relu(self.bn1(self.conv1(x)))
        out = torch.relu(self.bn2(self.conv2(out)))
        return torch.relu(self.bn3(self.conv3(out)) + (x if self.downsample is None else self.downsample(x)))


def stage(entering: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    first = Bottleneck(entering, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)))


class ResNet50(nn.Module):
    """Pooled features of the last stage, 2,048 a picture; `fc` exists so that ImageNet's weights fit."""

    features = 2048

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False), nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1, self.layer2 = stage(64, 64, 3, 1), stage(256, 128, 4, 2)
        self.layer3, self.layer4 = stage(512, 256, 6, 2), stage(1024, 512, 3, 2)
        self.fc = nn.Linear(self.features, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))


class Small(nn.Module):
    """Random filters, averaged and at their strongest: stands in where there are no weights (the smoke profile)."""

    features = 128

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, self.features // 2, 5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x)).flatten(2)
        return torch.cat([x.mean(2), x.amax(2)], 1)


def encoder(weights: Path) -> ResNet50 | Small:
    """Frozen, in evaluation mode."""
    if weights.is_file():
        model: ResNet50 | Small = ResNet50()
        model.load_state_dict(torch.load(weights, weights_only=True))
    else:
        model = Small()
    return model.eval().requires_grad_(False)
