"""One iteration of a bidirectional training: discriminator updates, then one of encoder and generator."""

__all__ = ["pair_logits", "play"]

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.training.families.bidirectional.config import BidirectionalConfig
from pentimento.training.families.bidirectional.players import BidirectionalPlayers
from pentimento.training.families.non_saturating import scorer_loss
from pentimento.training.loop.device import Precision, autocast


def play(
    players: BidirectionalPlayers, config: BidirectionalConfig, real: Tensor, precision: Precision
) -> dict[str, float]:
    """One iteration: D learns to tell pairs apart, then E and G learn to make it take one for the other.

    V = E_x log D(x, E(x)) + E_z log(1 - D(G(z), z)) is what D maximises. E and G could minimise it; as in
    the authors' code they maximise the log-probability of the wrong answers instead, with flipped labels: its
    gradient does not vanish where D is sure.

    Args:
        players: Networks and optimisers, changed in place.
        config: The recipe.
        real: Data in [0, 1], a batch for each update of the discriminator, (updates * B, C, H, W).
        precision: Of matrix products.

    Returns:
        Both losses, in nats, and the share of answers, 0..1, that the discriminator got right in its last
        update.
    """
    model, batches = players.model, real.split(config.batch_rows)
    for batch in batches:
        with autocast(real.device, precision):
            of_data, of_drawings = pair_logits(model, batch, learns=False)
        loss_s = scorer_loss(of_data, of_drawings, 1.0)
        players.scorer_optimizer.zero_grad()
        (loss_s + _penalty(model.discriminator.parameters(), config)).backward()
        players.scorer_optimizer.step()

    model.discriminator.requires_grad_(False)  # its gradients would be thrown away
    with autocast(real.device, precision):
        said_of_data, said_of_drawings = pair_logits(model, batches[-1], learns=True)
    loss_g = scorer_loss(said_of_drawings, said_of_data, 1.0)  # the labels are flipped
    players.generator_optimizer.zero_grad()
    weights = [*model.encoder.parameters(), *model.generator.parameters()]
    (loss_g + _penalty(weights, config)).backward()
    players.generator_optimizer.step()
    model.discriminator.requires_grad_(True)

    hits = torch.cat([of_data > 0, of_drawings < 0]).float().mean()
    return {"generator_loss": loss_g.item(), "scorer_loss": loss_s.item(), "scorer_accuracy": hits.item()}


def pair_logits(model: BidirectionalGAN, image: Tensor, *, learns: bool) -> tuple[Tensor, Tensor]:
    """The discriminator's logits of data with their encodings, and of as many drawings with their latents.

    Args:
        model: In training mode.
        image: Data in [0, 1], (B, C, H, W).
        learns: Whether encoder and generator are to get gradients.

    Returns:
        Shape (B / m, m, T) each.
    """
    shape = (len(image), model.step_count, model.latent_dim)
    with torch.set_grad_enabled(learns):
        encoded = model.encode(image, torch.randn(shape, device=image.device))
        latent = model.draw_prior(len(image), image.device)
        drawn = model.draw(latent)
    return model.judge(image[:, None], encoded), model.judge(drawn, latent)


def _penalty(parameters: Iterable[nn.Parameter], config: BidirectionalConfig) -> Tensor | float:
    """L1 and L2 norms of all matrices among the parameters, weighted."""
    if not config.l1_penalty and not config.l2_penalty:
        return 0.0
    matrices = [weight for weight in parameters if weight.dim() > 1]
    total = torch.stack(
        [
            config.l1_penalty * weight.abs().sum() + config.l2_penalty * weight.square().sum() / 2
            for weight in matrices
        ]
    )
    return total.sum()
