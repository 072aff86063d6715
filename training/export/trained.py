"""Loads the result of a training from its checkpoint: networks that are ready to draw."""

__all__ = ["Pair", "Trained", "load_trained"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import nn

from pentimento.training.loop.checkpoints import CheckpointError, read_checkpoint
from pentimento.training.loop.config import LoopConfig

C = TypeVar("C", bound=LoopConfig)
N = TypeVar("N")
G = TypeVar("G", bound=nn.Module)
S = TypeVar("S", bound=nn.Module)


class Pair(NamedTuple, Generic[G, S]):
    """The two networks of an adversarial training, in inference mode."""

    generator: G  # the averaged one, its statistics frozen
    scorer: S


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained(Generic[C, N]):
    """What a checkpoint holds: the training's configuration, its networks, and its records."""

    config: C
    networks: N  # what the family draws with; a `Pair` for an adversarial one
    record: Mapping[str, Any]  # the checkpoint: data set, history, iterations, seconds


def load_trained(
    path: Path,
    device: torch.device,
    config_type: type[C],
    build: Callable[[C, Mapping[str, Any]], N],
) -> Trained[C, N]:
    """Reads a checkpoint and builds its networks.

    Args:
        path: The checkpoint.
        device: Where its tensors go.
        config_type: The family's configuration.
        build: Makes the networks from the configuration and the state dicts that `Players.state` gave.

    Raises:
        CheckpointError: There is no usable checkpoint, or it is of another version of the family.
    """
    record = read_checkpoint(path, device)
    try:
        config = config_type.from_json(record["config"])
        networks = build(config, record["players"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"the checkpoint in {path.parent} does not fit this version: {error}"
        ) from error
    return Trained(config=config, networks=networks, record=record)
