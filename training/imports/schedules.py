"""The steps of diffusers' schedulers as numbers: a table for each number of steps and each step.

A step of DDPM, DDIM and Euler is linear in what goes in, but for a cut of the estimate. With the state x,
what the network puts out o, and fresh noise z,

    o  = network(scale * x, time)
    x^ = a x + b o,  cut off to +-limit if the scheduler says so
    x' = c x^ + d x + e o + s z

and all factors are functions of the number of steps and of the step. They are read off the scheduler itself,
after its `set_timesteps`: its spacing of steps, its betas and its variance are those of the pipeline.
"""

__all__ = ["MAX_IMPORT_STEPS", "Schedule", "read_schedule"]

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MAX_IMPORT_STEPS = 100  # canvases that a request may ask for
_FACTORS = ("time", "scale", "a", "b", "c", "d", "e", "s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """All steps of a scheduler, for 1 to `max_steps` of them."""

    max_steps: int
    start: Tensor  # deviation of the first noise, of each number of steps, (max_steps + 1,)
    factors: dict[str, Tensor]  # float32 by name, (max_steps + 1, max_steps)
    limit: float | None  # where the estimate is cut off
    random: bool  # whether steps take fresh noise

    def at(self, name: str, steps: Tensor, t: Tensor) -> Tensor:
        """A factor of each row, (B, 1, 1, 1), for `steps` and `t`, int64, (B,)."""
        return self.factors[name].flatten()[steps * self.max_steps + t][:, None, None, None]


def read_schedule(scheduler: Any, max_steps: int = MAX_IMPORT_STEPS) -> Schedule:  # noqa: ANN401
    """Reads the steps off a scheduler of diffusers.

    Args:
        scheduler: A DDPMScheduler, DDIMScheduler or EulerDiscreteScheduler.
        max_steps: Up to how many steps; at most as many as the scheduler has for training.

    Raises:
        ValueError: A bundle cannot express what the scheduler does; the message says what.
    """
    kind, config = type(scheduler).__name__, scheduler.config
    if kind not in _READERS:
        raise ValueError(f"scheduler must be one of {', '.join(_READERS)}, got {kind}")
    if config.prediction_type not in ("epsilon", "sample", "v_prediction"):
        raise ValueError(
            f"prediction_type must be epsilon, sample or v_prediction, got {config.prediction_type!r}"
        )
    if config.get("thresholding"):
        raise ValueError(
            f"{kind} has thresholding: where its estimate is cut off depends on the whole picture, which a "
            "bundle's step could do, but this import does not"
        )
    max_steps = min(max_steps, config.num_train_timesteps)
    start = torch.ones(max_steps + 1)
    factors = {name: torch.zeros(max_steps + 1, max_steps, dtype=torch.float64) for name in _FACTORS}
    for steps in range(1, max_steps + 1):
        with warnings.catch_warnings():  # of numpy, about how diffusers makes arrays of tensors
            warnings.simplefilter("ignore", DeprecationWarning)
            scheduler.set_timesteps(steps)
        if len(scheduler.timesteps) != steps:
            raise ValueError(f"{kind} makes {len(scheduler.timesteps)} steps where {steps} are asked for")
        start[steps] = float(scheduler.init_noise_sigma)
        for t in range(steps):
            for name, value in _READERS[kind](scheduler, t).items():
                factors[name][steps, t] = float(value)
    clips = kind != "EulerDiscreteScheduler" and config.clip_sample
    return Schedule(
        max_steps=max_steps,
        start=start,
        factors={name: table.float() for name, table in factors.items()},
        limit=float(config.clip_sample_range) if clips else None,
        random=bool(factors["s"].any()),
    )


def _estimate(kind: str, kept: float) -> tuple[float, float]:
    """A and b for a state sqrt(kept) x + sqrt(1 - kept) noise."""
    if kind == "epsilon":
        return kept**-0.5, -(((1 - kept) / kept) ** 0.5)
    return (0.0, 1.0) if kind == "sample" else (kept**0.5, -((1 - kept) ** 0.5))


def _ddpm(scheduler: Any, t: int) -> dict[str, float]:  # noqa: ANN401
    config, time = scheduler.config, int(scheduler.timesteps[t])
    if config.variance_type not in ("fixed_small", "fixed_small_log", "fixed_large"):
        raise ValueError(
            f"variance_type must be fixed_small, fixed_small_log or fixed_large, got "
            f"{config.variance_type!r}: a variance that the network puts out is not imported"
        )
    before = int(scheduler.previous_timestep(time))
    now = float(scheduler.alphas_cumprod[time])
    then = float(scheduler.alphas_cumprod[before]) if before >= 0 else 1.0
    alpha = now / then
    a, b = _estimate(config.prediction_type, now)
    variance = float(scheduler._get_variance(time))  # of the log kind it is the deviation already
    spread = variance if config.variance_type == "fixed_small_log" else variance**0.5
    return {
        "time": time,
        "scale": 1.0,
        "a": a,
        "b": b,
        "c": then**0.5 * (1 - alpha) / (1 - now),
        "d": alpha**0.5 * (1 - then) / (1 - now),
        "s": spread if time > 0 else 0.0,
    }


def _ddim(scheduler: Any, t: int) -> dict[str, float]:  # noqa: ANN401
    """Without fresh noise, as DDIM's pipeline draws: eta = 0."""
    config, time = scheduler.config, int(scheduler.timesteps[t])
    before = time - config.num_train_timesteps // scheduler.num_inference_steps
    now = float(scheduler.alphas_cumprod[time])
    then = float(scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod)
    a, b = _estimate(config.prediction_type, now)
    # The noise as the network tells it, of the estimate before it is cut off.
    along = (1 - then) ** 0.5
    noise_x, noise_o = ((1 - now**0.5 * a) / (1 - now) ** 0.5, -(now**0.5) * b / (1 - now) ** 0.5)
    return {
        "time": time,
        "scale": 1.0,
        "a": a,
        "b": b,
        "c": then**0.5,
        "d": along * noise_x,
        "e": along * noise_o,
    }


def _euler(scheduler: Any, t: int) -> dict[str, float]:  # noqa: ANN401
    """Euler's method over noise levels sigma; the state is a picture plus sigma times noise."""
    kind = scheduler.config.prediction_type
    now, then = (float(scheduler.sigmas[at]) for at in (t, t + 1))
    if kind == "epsilon":
        a, b = 1.0, -now
    elif kind == "sample":
        a, b = 0.0, 1.0
    else:
        a, b = 1 / (now**2 + 1), -now / (now**2 + 1) ** 0.5
    return {
        "time": float(scheduler.timesteps[t]),
        "scale": (now**2 + 1) ** -0.5,
        "a": a,
        "b": b,
        "c": 1 - then / now,
        "d": then / now,
    }


_READERS: dict[str, Callable[[Any, int], dict[str, float]]] = {
    "DDPMScheduler": _ddpm,
    "DDIMScheduler": _ddim,
    "EulerDiscreteScheduler": _euler,
}
