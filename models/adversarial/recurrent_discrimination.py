"""Recurrent discrimination: samples of a group are judged one after the other (BiGRAN paper, section 2.3).

A discriminator that sees one sample at a time cannot know that all samples are alike. Here an LSTM runs over
the k samples of a group, which are all data or all drawn, and answers after each: the j-th answer is about
samples 1 to j. Minibatch discrimination (`minibatch.py`) serves the same end by distances within a batch;
this learns what to compare, and its first answer is that of a single sample.

The authors' code for MNIST runs the LSTM both ways, so that every answer has seen all samples. Here it runs
forwards only: the answer of a prefix is then one that can be served.

Samples of a group come in an order that means nothing, so batches must be shuffled.

Shapes: G groups, k samples in each, F features of a sample.
"""

__all__ = ["RecurrentDiscrimination"]

import torch
from torch import Tensor, nn

from pentimento.models.shared.lstm import LSTMCell


class RecurrentDiscrimination(nn.Module):
    """From features of samples to a logit for every prefix of their group.

    It takes the place of a discriminator's last layer: `head(features.unflatten(0, (-1, k)))`.
    """

    def __init__(self, features: int, hidden: int, *, dropout: float = 0.0) -> None:
        """Builds the LSTM and the linear map that answers.

        Args:
            features: F.
            hidden: Numbers of the LSTM's output.
            dropout: Share of the inputs that are left out in training, one choice a group.
        """
        super().__init__()
        self.cell = LSTMCell(features, hidden)
        self.answer = nn.Linear(hidden, 1)
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        """(G, k, F) -> logits, (G, k); the j-th has seen the first j samples."""
        if self.training and self.dropout:
            kept = torch.rand_like(features[:, :1]) >= self.dropout  # the same for all samples of a group
            features = features * kept / (1 - self.dropout)
        hidden = torch.zeros_like(features[:, 0, :1]).expand(-1, self.cell.hidden)
        cell, answers = hidden, []
        for sample in features.unbind(1):
            hidden, cell = self.cell(sample, hidden, cell)
            answers.append(self.answer(hidden))
        return torch.cat(answers, dim=1)
