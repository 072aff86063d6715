"""The toy of recurrent discrimination: what does a discriminator say that sees k samples of a poor generator?

Data are ten categories, equally likely; the generator only ever draws the first five, equally likely. A
single sample of the five is twice as likely drawn as real. The best discriminator of a prefix of k samples,
all of the five, says (BiGRAN paper, section 3)

    D_k = p^k / (1 + p^k)  with  p = 1/2, the likelihood ratio of data to drawings: 1/3, 1/5, 1/9, 1/17, ...

and 1 of any prefix with a sample of the other five. So the longer the prefix, the surer it is that something
is missing, though no single sample is wrong.
"""

__all__ = [
    "ToyResult",
    "best_answer",
    "read_toy_results",
    "run_toy",
    "save_toy_picture",
    "save_toy_results",
    "save_toy_table",
]

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from pentimento.models.adversarial.recurrent_discrimination import RecurrentDiscrimination
from pentimento.training.families.non_saturating import scorer_loss
from pentimento.training.judging.plots import new_figure, save_figure

CATEGORIES, DRAWN = 10, 5
HIDDEN, BATCH_ROWS, RATE = 256, 128, 1e-3
_ASKED_GROUPS = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class ToyResult:
    """What the discriminator says after training, by length of the prefix from 1."""

    seed: int
    iterations: int
    of_drawn: list[float]  # mean probability of being data, of prefixes within the first five categories
    of_others: list[float]  # the same, of prefixes of data with a category that is never drawn


def best_answer(length: int) -> float:
    """The best discriminator's probability of "data" for a prefix of drawn categories only."""
    ratio = (DRAWN / CATEGORIES) ** length
    return ratio / (1 + ratio)


def run_toy(
    group_size: int,
    iterations: int,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
    *,
    hidden: int = HIDDEN,
) -> ToyResult:
    """Trains a recurrent discriminator on sequences of categories, and asks it about prefixes.

    Batches of 128 categories as the authors', cut into sequences. Their rate of 1e-4 falls with time over
    10,000 iterations; this one starts at 1e-3 and falls to zero along half a cosine, which needs fewer.

    Args:
        group_size: Length of the sequences, the longest prefix.
        iterations: Updates.
        seed: Of weights and samples.
        progress: Called with the number of each iteration.
        hidden: Of the LSTM.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RecurrentDiscrimination(CATEGORIES, hidden)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
        groups = max(1, BATCH_ROWS // group_size)
        for iteration in range(iterations):
            real, drawn = _sequences(groups, group_size, CATEGORIES), _sequences(groups, group_size, DRAWN)
            loss = scorer_loss(model(_one_hot(real)), model(_one_hot(drawn)), 1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            progress(iteration + 1)
        drawn, real = (_sequences(_ASKED_GROUPS, group_size, count) for count in (DRAWN, CATEGORIES))
        with torch.no_grad():
            of_drawn = torch.sigmoid(model(_one_hot(drawn))).mean(0)
            said = torch.sigmoid(model(_one_hot(real)))
        gone = (real >= DRAWN).cumsum(1) > 0  # prefixes that have a category of the other five
        others = (said * gone).sum(0) / gone.sum(0)
    return ToyResult(
        seed=seed,
        iterations=iterations,
        of_drawn=[round(value, 4) for value in of_drawn.tolist()],
        of_others=[round(value, 4) for value in others.tolist()],
    )


def save_toy_results(folder: Path, results: list[ToyResult]) -> None:
    """Writes `toy.json`, whole or not at all: the next call goes on from it."""
    partial = folder / "toy.json.part"
    partial.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    partial.replace(folder / "toy.json")


def read_toy_results(folder: Path, *, group_size: int, iterations: int) -> list[ToyResult]:
    """The finished trainings of a folder; none if it is new.

    Raises:
        ValueError: It holds a table whose trainings cannot be told, or trainings with other settings.
    """
    kept = folder / "toy.json"
    if not kept.exists():
        if (folder / "toy.md").exists():
            raise ValueError(f"--out {str(folder)!r} holds a table already; name another folder")
        return []
    results = [ToyResult(**each) for each in json.loads(kept.read_text())]
    for result in results:
        there = len(result.of_drawn), result.iterations
        if there != (group_size, iterations):
            raise ValueError(
                f"--out {str(folder)!r} holds trainings of {there[0]} samples and {there[1]} iterations, not "
                f"of {group_size} and {iterations}; name another"
            )
    return results


def save_toy_table(path: Path, results: list[ToyResult]) -> None:
    """Writes a Markdown table: a row a length, mean over the seeds with the extremes."""
    lines = ["| samples seen | best answer | said of drawn ones | of others |", "|---:|---:|---:|---:|"]
    for index in range(len(results[0].of_drawn)):
        drawn = [result.of_drawn[index] for result in results]
        others = [result.of_others[index] for result in results]
        spread = f" ({min(drawn):.4f} to {max(drawn):.4f})" if len(results) > 1 else ""
        lines.append(
            f"| {index + 1} | {best_answer(index + 1):.4f} | {sum(drawn) / len(drawn):.4f}{spread} | "
            f"{sum(others) / len(others):.4f} |"
        )
    path.write_text("\n".join(lines) + "\n")


def save_toy_picture(path: Path, results: list[ToyResult]) -> None:
    """Plots the answers over the length of the prefix, beside the best ones, as a PNG."""
    figure, answers = new_figure(1)
    lengths = list(range(1, len(results[0].of_drawn) + 1))
    answers.plot(lengths, [best_answer(length) for length in lengths], "k--", label="best answer")
    for result in results:
        answers.plot(lengths, result.of_drawn, marker="o", label=f"drawn, seed {result.seed}")
        answers.plot(
            lengths, result.of_others, marker="x", label=f"with a missing category, seed {result.seed}"
        )
    save_figure(figure, ((answers, "probability of data"),), path, along="samples seen")


def _sequences(groups: int, length: int, categories: int) -> Tensor:
    return torch.randint(categories, (groups, length))


def _one_hot(samples: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(samples, CATEGORIES).float()
