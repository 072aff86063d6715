"""What likelihoods are worth: digits, digits put otherwise, clothes, noise, empty pictures.

    python -m benchmarks.likelihoods pixelcnn-mnist pixelvae-mnist

Not a matter of speed: the means of minus the log-likelihood in nats, with their standard errors, that `POST
/likelihood` of a server in a process of its own answers with, one sample each. Data sets are looked for
as `pentimento data` does, in the folder `--data` first, else downloaded.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from pentimento_client import Client

from benchmarks.serving import served
from pentimento.training.data.datasets import load_dataset

ROWS_AT_ONCE = 50


def pictures(folder):
    """The sets of pictures by name, each in [0, 1], shape (rows, 28, 28); `folder` holds the data sets."""
    digits, clothes = (
        load_dataset(name, channels=1, image_size=28, folder=folder).test.images[:rows, 0] / 255
        for name, rows in (("mnist", 1000), ("fashion-mnist", 300))
    )
    some, uniform = digits[:300], np.random.default_rng(0).random((2, 200, 28, 28))
    return {
        "1,000 test digits": digits,
        "digits, upside down": some[:, ::-1],
        "digits, mirrored": some[:, :, ::-1],
        "digits, 4 pixels to the right": np.roll(some, 4, axis=2),
        "Fashion-MNIST": clothes,
        "digits, inverted": 1 - some,
        "noise with as much ink as digits": (uniform[0] < digits.mean()).astype(float),
        "noise, half white": (uniform[1] < 0.5).astype(float),
        "all white": np.ones((20, 28, 28)),
        "all black": np.zeros((20, 28, 28)),
    }


def nats(client, model, images):
    """Minus the log-likelihood of each image in nats, shape (N,); images of shape (N, 28, 28)."""
    found = []
    for start in range(0, len(images), ROWS_AT_ONCE):
        chunk = [np.ascontiguousarray(image, np.float32) for image in images[start : start + ROWS_AT_ONCE]]
        found.append(-np.asarray(client.likelihood(chunk, model, seed=start).nats))
    return np.concatenate(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", default=["pixelcnn-mnist", "pixelvae-mnist"])
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    parser.add_argument("--data", type=Path, default=os.environ.get("PENTIMENTO_DATA"))
    arguments = parser.parse_args()
    asked = pictures(arguments.data)
    print("| pictures | model | nats | standard error |\n|---|---|---|---|")
    with served(arguments.bundles) as (address, _, _), Client(address) as client:
        for name, images in asked.items():
            for model in arguments.models:
                values = nats(client, model, images)
                error = values.std() / np.sqrt(len(values))
                print(f"| {name} | {model} | {values.mean():,.1f} | {error:.1f} |", flush=True)


if __name__ == "__main__":
    main()
