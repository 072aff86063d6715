"""A small model of digits that is trained, exported and described without any code of Pentimento."""

import hashlib
import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

# [train]
CALLS = 20  # Euler steps from noise to a picture
torch.manual_seed(0)
pixels, classes = (torch.tensor(part) for part in load_digits(return_X_y=True))  # 1,797 digits of 8 x 8
pixels = pixels.float() / 8 - 1


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        layers = nn.Linear(64 + 1 + 10, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, 64)
        self.net = nn.Sequential(*layers)

    def velocity(self, x, time, label):
        return self.net(torch.cat([x, time, nn.functional.one_hot(label, 10).float()], dim=1))

    def forward(self, t, label, x):  # one call of the drawing; every row has a t of its own
        x = x + self.velocity(x, t[:, None].float() / CALLS, label) / CALLS
        canvas = (x.clamp(-1, 1) / 2 + 0.5).reshape(-1, 1, 8, 8)
        return canvas, x


flow = Flow()
optimizer = torch.optim.Adam(flow.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=1500)
for _ in range(1500):
    rows = torch.randint(len(pixels), (256,))
    noise, time = torch.randn(256, 64), torch.rand(256, 1)
    between = (1 - time) * noise + time * pixels[rows]
    error = flow.velocity(between, time, classes[rows]) - (pixels[rows] - noise)
    optimizer.zero_grad()
    error.square().mean().backward()
    optimizer.step()
    schedule.step()

# [export]
bundle = Path("bundles/tiny-flow")
bundle.mkdir(parents=True, exist_ok=True)
graphs = {}


def export(name, module, inputs, outputs):
    examples = tuple(torch.zeros(2, *spec["shape"], dtype=getattr(torch, spec["dtype"])) for spec in inputs)
    torch.onnx.export(
        module.eval(),
        examples,
        bundle / f"{name}.onnx",
        input_names=[spec["name"] for spec in inputs],
        output_names=[spec["name"] for spec in outputs],
        dynamic_shapes=tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs),  # any number of rows
        external_data=False,  # a bundle's graph is one file
        dynamo=True,
    )
    checksum = hashlib.sha256((bundle / f"{name}.onnx").read_bytes()).hexdigest()
    graphs[name] = {"file": f"{name}.onnx", "sha256": checksum, "inputs": inputs, "outputs": outputs}


def tensor(name, shape=(), dtype="float32"):
    return {"name": name, "dtype": dtype, "shape": shape}  # without the rows, which come first everywhere


t, label = tensor("t", dtype="int64"), tensor("label", dtype="int64")
canvas = tensor("canvas", (1, 8, 8))
export("init", nn.Identity(), [tensor("latent", (64,))], [tensor("next.x", (64,))])
export("step", flow, [t, label, tensor("state.x", (64,))], [canvas, tensor("next.x", (64,))])

# [manifest]
manifest = {
    "schema_version": 1,
    "name": "tiny-flow",
    "version": "1.0.0",
    "family": "flow",
    "image": {"channels": 1, "height": 8, "width": 8},
    "graphs": graphs,
    "labels": {"names": list("0123456789")},
    "drawing": {
        "noise": [{"name": "latent", "shape": [64]}],
        "phases": [{"graph": "init"}, {"graph": "step", "calls": CALLS, "shows": True}],
        "steps": {"default": 10, "min": 1, "max": CALLS, "trained": CALLS},
    },
}
(bundle / "manifest.json").write_text(json.dumps(manifest, indent=2))
