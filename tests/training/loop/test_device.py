"""Device and precision follow what the machine has, unless told otherwise."""

import pytest
import torch

from pentimento.training.loop.device import autocast, choose_device, choose_precision, describe_device

CPU = torch.device("cpu")


def test_a_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device().type == "cuda" and choose_device("cpu") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == CPU
    with pytest.raises(ValueError, match="cuda was asked for, but torch sees no CUDA device"):
        choose_device("cuda")


def test_bfloat16_only_where_the_hardware_computes_in_it(monkeypatch):
    for has_it, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has_it=has_it: has_it)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert choose_precision(CPU) == expected
        assert choose_precision(CPU, "float32") == "float32"


def test_autocast_changes_products_and_not_weights():
    layer = torch.nn.Linear(2, 2)
    for precision, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        with autocast(CPU, precision):
            assert layer(torch.ones(1, 2)).dtype == dtype
    assert layer.weight.dtype == torch.float32
    assert describe_device(CPU, "float32").endswith("float32")
