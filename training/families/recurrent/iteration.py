"""One iteration of an adversarial training in steps: discriminator updates, then one of the generator."""

__all__ = ["dense_penalty", "play"]

import torch
from torch import Tensor, nn

from pentimento.training.families.non_saturating import decision_logit, generator_loss, scorer_loss
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.players import RecurrentPlayers
from pentimento.training.loop.device import Precision, autocast


def play(
    players: RecurrentPlayers, config: RecurrentConfig, real: Tensor, precision: Precision
) -> dict[str, float]:
    """One iteration: teaches the discriminator to tell data from drawings, the generator to pass for data.

    Args:
        players: Networks and optimisers, changed in place.
        config: The recipe.
        real: Data in [0, 1], shape (B, C, H, W).
        precision: Of matrix products and convolutions.

    Returns:
        Both losses, in nats, and the share of images, 0..1, that the discriminator was right about in its
        last update.
    """
    generator, scorer = players.generator, players.scorer
    real = real.contiguous(memory_format=torch.channels_last)
    for _ in range(config.scorer_updates):
        with autocast(real.device, precision):
            drawn = generator.draw_last(torch.randn(generator.latent_shape(len(real)), device=real.device))
            # The scorer normalises each image by itself, so real and drawn rows may share a call.
            real_logits, drawn_logits = scorer(torch.cat([real, drawn.detach()])).chunk(2)
        loss_s = scorer_loss(real_logits, drawn_logits, config.real_label)
        players.scorer_optimizer.zero_grad()
        (loss_s + config.weight_penalty * dense_penalty(scorer)).backward()
        players.scorer_optimizer.step()

    scorer.requires_grad_(False)  # its gradients would be thrown away
    with autocast(real.device, precision):
        logits = scorer(drawn)  # the last canvas only is judged
    loss_g = generator_loss(logits)
    players.generator_optimizer.zero_grad()
    loss_g.backward()  # through all steps
    players.generator_optimizer.step()
    scorer.requires_grad_(True)

    decision = decision_logit(config.real_label)
    hits = torch.cat([real_logits > decision, drawn_logits < decision]).float().mean()
    return {"generator_loss": loss_g.item(), "scorer_loss": loss_s.item(), "scorer_accuracy": hits.item()}


def dense_penalty(scorer: nn.Module) -> Tensor:
    """Half the squared L2 norm of the dense layers' weights."""
    weights = [module.weight for module in scorer.modules() if isinstance(module, nn.Linear)]
    return torch.stack([weight.square().sum() for weight in weights]).sum() / 2
