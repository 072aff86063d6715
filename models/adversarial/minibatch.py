"""Minibatch discrimination (Salimans et al., 2016, arXiv:1606.03498), and the last layers of a scorer.

A scorer that sees one image at a time cannot tell that a generator always draws the same one. Here it also
learns how near each image lies to the others of its batch:

    M_i = f(x_i) T,  c_b(i, j) = exp(-||M_ib - M_jb||_1),  o_b(i) = sum over j != i of c_b(i, j) + bias_b

and o joins the features f. **A score then depends on the batch**, so such a scorer is not served: the export
of a bundle refuses it. Batches of data and of drawings must be judged apart.

What differs from the authors' code, and why: T is not weight-normalised, and neither its scale nor the bias
is set from the first batch: scorers are built without data. T starts from N(0, 1/F), so that M has the size
of the features.

Shapes: B batch, F features, N kernels, D dimensions of a kernel, K classes.
"""

__all__ = ["MinibatchDiscrimination", "ScorerHead"]

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.base import Judgement
from pentimento.models.adversarial.recurrent_discrimination import RecurrentDiscrimination

KERNEL_DIMENSIONS = 5  # D, the authors'
GROUP_HIDDEN = 128  # of recurrent discrimination's LSTM


class MinibatchDiscrimination(nn.Module):
    """Measures how near the features of each row lie to those of the other rows.

    Args:
        features: F.
        kernels: N.
        dimensions: D.
    """

    def __init__(self, features: int, kernels: int, dimensions: int = KERNEL_DIMENSIONS) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, kernels, dimensions) * features**-0.5)  # T
        self.bias = nn.Parameter(torch.zeros(kernels))

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) -> o, (B, N): above the bias by at least 0 and at most B - 1."""
        m = (features @ self.weight.flatten(1)).unflatten(1, self.weight.shape[1:])  # -> (B, N, D)
        distance = (m.unsqueeze(1) - m.unsqueeze(0)).abs().sum(-1)  # (B, B, N)
        # A row is at distance 0 from itself, which counts 1 and has no gradient.
        return torch.exp(-distance).sum(1) - 1 + self.bias


class ScorerHead(nn.Module):
    """The last layers of a scorer: features to score, and to class logits if there is a classifier.

    Args:
        features: F.
        class_count: K, of the auxiliary classifier; 0 for none.
        minibatch_kernels: N, of minibatch discrimination; 0 for none.
        group_size: Rows that recurrent discrimination judges one after the other; 0 for a linear score.
    """

    def __init__(
        self, features: int, *, class_count: int = 0, minibatch_kernels: int = 0, group_size: int = 0
    ) -> None:
        super().__init__()
        self.group_size = group_size
        self.minibatch = MinibatchDiscrimination(features, minibatch_kernels) if minibatch_kernels else None
        seen = features + minibatch_kernels
        self.score = RecurrentDiscrimination(seen, GROUP_HIDDEN) if group_size else nn.Linear(seen, 1)
        self.classes = nn.Linear(features, class_count) if class_count else None

    def forward(self, features: Tensor) -> Judgement:
        """Scores rows of features, shape (B, F)."""
        seen = features
        if self.minibatch is not None:
            seen = torch.cat([features, self.minibatch(features)], dim=1)  # (B, F + N)
        class_logits = None if self.classes is None else self.classes(features)
        if self.group_size:  # the score of a row is about it and those of its group before it
            score = self.score(seen.unflatten(0, (-1, self.group_size))).flatten()
        else:
            score = self.score(seen).squeeze(1)
        return Judgement(score, features, class_logits)
