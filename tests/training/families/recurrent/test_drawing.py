"""Drawings in steps: from the server's noise, with frozen statistics, the same each time."""

import pytest
import torch

from pentimento.bundle.noise import draw
from pentimento.models.recurrent.gran import GRAN, GRANConfig
from pentimento.training.families.recurrent.drawing import draw_chunks, freeze_statistics, prior_latents


@pytest.mark.parametrize("mode", ["same", "per_step"])
def test_drawings_come_from_the_servers_noise(mode):
    generator = GRAN(GRANConfig(widths=(8, 4), latent_dim=6, step_count=2, noise_mode=mode))
    freeze_statistics(generator, 600, seed=3)
    assert not generator.training
    if mode == "same":
        expected = draw(5, "latent", (6,), rows=range(7))
    else:
        expected = draw(5, "noise", (2, 6), rows=range(7))
    assert torch.equal(prior_latents(generator, range(7), 5), torch.from_numpy(expected))
    once, again = (torch.cat(list(draw_chunks(generator, 520, seed=5))) for _ in range(2))
    assert torch.equal(once, again) and once.shape == (520, 2, 1, 28, 28)
    (longer,) = draw_chunks(generator, 20, seed=5, step_count=4)
    assert longer.shape[1] == 4
