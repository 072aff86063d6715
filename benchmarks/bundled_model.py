"""Rebuilds the torch model of a bundle, for benchmarks that compare ways to compute with the same weights."""

__all__ = ["FullPass", "full_pass", "load_model"]

import torch
from onnx import numpy_helper

from pentimento.bundle.store import Bundle
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph
from pentimento.training.export.parity import Session
from pentimento.training.export.shared_weights import load_whole
from pentimento.training.families.likelihood.config import LikelihoodConfig, build_model

_PREFIX = "network."


def load_model(bundle: Bundle) -> torch.nn.Module:
    """Builds the model that the manifest names and gives it the weights of the `likelihood` graph.

    Raises:
        RuntimeError: The graph does not hold every weight (those of a decoder that it folded, say).
    """
    graph = load_whole(bundle.graphs["likelihood"], bundle.weights).graph
    weights = {
        tensor.name.removeprefix(_PREFIX): torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
        if tensor.name.startswith(_PREFIX)
    }
    model = build_model(LikelihoodConfig.from_json(bundle.manifest.provenance.config).model)
    model.load_state_dict(weights)
    return model.eval()


class FullPass(torch.nn.Module):
    """A pixel model as a network that computes the logits of all pixels of an image in one pass."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.exact = isinstance(model, AutoregressiveModel)
        self.pixels = model if self.exact else model.pixels

    def forward(self, image: torch.Tensor, *latent: torch.Tensor) -> torch.Tensor:
        """Image (B, 1, H, W), and the latent (B, Z) of a model that has one, to logits (B, O, H, W)."""
        return self.pixels(image, *([] if self.exact else self.model.conditions(*latent)))

    def latents(self, rows: int) -> tuple[torch.Tensor, ...]:
        """Latents from the prior, as the tail of the arguments of `forward`."""
        return () if self.exact else (torch.randn(rows, self.model.latent_dim),)


def full_pass(network: FullPass) -> Session:
    """Exports the same pass to ONNX Runtime: inputs `image` and, with a latent, `latent`; output `logits`."""
    pixels = network.pixels
    examples = {"image": torch.zeros(EXAMPLE_ROWS, 1, pixels.height, pixels.width)}
    examples |= dict(zip(("latent",), network.latents(EXAMPLE_ROWS), strict=False))
    module = Function(network, lambda *inputs: (network(*inputs),))
    return Session(export_graph(GraphModule(module=module, inputs=examples, outputs=("logits",))).data)
