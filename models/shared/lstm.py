"""An LSTM cell as one linear map and its gates, which exports to ONNX with any number of rows.

torch's own cell is one fused operation, and its LSTM has a fixed batch once exported.
"""

__all__ = ["LSTMCell"]

import torch
from torch import Tensor, nn


class LSTMCell(nn.Module):
    """Hochreiter and Schmidhuber's cell with a forget gate, which starts open (bias 1)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.inputs, self.hidden = inputs, hidden
        self.gates = nn.Linear(inputs + hidden, 4 * hidden)
        nn.init.xavier_uniform_(self.gates.weight[:, :inputs])
        for gate in self.gates.weight.data[:, inputs:].chunk(4):
            nn.init.orthogonal_(gate)
        nn.init.zeros_(self.gates.bias)
        with torch.no_grad():
            self.gates.bias[hidden : 2 * hidden] = 1

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """One step: input (B, I), hidden and cell (B, H) each, to the next hidden and cell."""
        return self.advance(self.gates(torch.cat([x, hidden], dim=1)), cell)

    def advance(self, gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """The step from the gates before their nonlinearities, (B, 4H), for callers that add them up."""
        take, keep, value, show = gates.chunk(4, dim=1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(value)
        return torch.sigmoid(show) * torch.tanh(cell), cell
