"""The baseline: trains five policies by PPO and writes checkpoint-0.safetensors ... checkpoint-4.safetensors.

`python baseline.py`. The size of the training follows the profile, through the environment's GYMBOARD_ variables.
Its last line is an estimate of the score, from the last episodes of the trainings.
"""

import os

from ppo import Config, train

HORIZON = int(os.environ.get("GYMBOARD_HORIZON", 199))
RATE_TIMES = float(os.environ.get("GYMBOARD_HP_RATE_TIMES", 1))
ENTROPY_TIMES = float(os.environ.get("GYMBOARD_HP_ENTROPY_TIMES", 1))
CONFIG = Config(
    environment="MetaMaze-misc",
    steps=int(os.environ.get("GYMBOARD_STEPS", 10_000_000)),
    environments=int(os.environ.get("GYMBOARD_TRAIN_ENVIRONMENTS", 64)),
    rollout=32,
    minibatches=4,
    epochs=4,
    gamma=0.99,
    gae_lambda=0.95,
    clip=0.1,
    lr_begin=5e-4 * RATE_TIMES,
    lr_end=5e-4 * RATE_TIMES,
    lr_share=0.05,
    entropy=0.05 * ENTROPY_TIMES,
    critic=0.5,
    max_grad_norm=1.0,
    hidden=(256, 256),
)

if __name__ == "__main__":
    print(f"estimate mean_return = {train(CONFIG):.6f}")
