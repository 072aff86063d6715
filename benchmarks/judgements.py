"""What scorers say of data, of their rivals' drawings and of noise; of another model's drawing step by step.

    python -m benchmarks.judgements

Not a matter of speed: mean scores with standard errors, over HTTP from a server in a process of its own. A
discriminator's is a logit, a critic's comparable only within its column. Data sets are looked for as
`pentimento data` does, in the folder `--data` first, else downloaded.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from pentimento_client import Client

from benchmarks.serving import served
from pentimento.training.data.datasets import load_dataset

SCORERS = ("wgan-gp-mnist", "acgan-mnist", "dcgan-mnist", "gran5-mnist")
ROWS_AT_ONCE = 50
ROWS = 500


def drawn(client, model):
    """Has a model draw pictures in [0, 1], shape (ROWS, 28, 28); a conditional one draws classes in turn."""
    options = {"labels": [row % 10 for row in range(ROWS_AT_ONCE)]} if model.startswith("acgan") else {}
    return np.concatenate(
        [
            client.generate(model, n=ROWS_AT_ONCE, seed=seed, **options).arrays[:, -1, 0]
            for seed in range(ROWS // ROWS_AT_ONCE)
        ]
    )


def scores(client, model, images):
    """The score of each image, (N, 28, 28), by a model's discriminator or critic, shape (N,)."""
    found = []
    for start in range(0, len(images), ROWS_AT_ONCE):
        chunk = [np.ascontiguousarray(image, np.float32) for image in images[start : start + ROWS_AT_ONCE]]
        found.append(client.score(chunk, model).scores.logits)
    return np.concatenate(found)


def words(values):
    """Mean and standard error as text."""
    return f"{values.mean():.2f} ± {values.std() / np.sqrt(len(values)):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    parser.add_argument("--data", type=Path, default=os.environ.get("PENTIMENTO_DATA"))
    arguments = parser.parse_args()
    digits, clothes = (
        load_dataset(name, channels=1, image_size=28, folder=arguments.data).test.images[:ROWS, 0] / 255
        for name in ("mnist", "fashion-mnist")
    )
    noise = np.random.default_rng(0).random((ROWS, 28, 28))
    with served(arguments.bundles) as (address, _, _), Client(address) as client:
        asked = {"test digits": digits}
        asked |= {f"drawings of {model}": drawn(client, model) for model in (*SCORERS, "gran1-mnist")}
        asked |= {
            "digits, upside down": digits[:, ::-1],
            "digits, inverted": 1 - digits,
            "Fashion-MNIST": clothes,
            "all black": np.zeros((1, 28, 28)),
            "noise": noise,
        }
        print("| pictures | " + " | ".join(SCORERS) + " |\n|---" + "|---:" * len(SCORERS) + "|")
        for name, images in asked.items():
            print(f"| {name} | " + " | ".join(words(scores(client, m, images)) for m in SCORERS) + " |")
        print(
            "\n| gran5-mnist's canvases | " + " | ".join(SCORERS) + " |\n|---" + "|---:" * len(SCORERS) + "|"
        )
        battles = [
            client.generate("gran5-mnist", n=ROWS_AT_ONCE, steps=5, seed=1, score_by=model).frames
            for model in SCORERS
        ]
        for step, frames in enumerate(zip(*battles, strict=True), start=1):
            print(f"| step {step} | " + " | ".join(words(frame.scores.logits) for frame in frames) + " |")


if __name__ == "__main__":
    main()
