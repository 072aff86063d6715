"""Writes answers of the protocol: JSON, and behind it the bytes of tensors that are wanted as such."""

__all__ = ["Wanted", "check_size", "infer_response"]

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from pentimento.service.errors import invalid
from pentimento.service.http.answers import MAX_ANSWER_VALUES
from pentimento.service.http.drawing_json import to_json_bytes
from pentimento.service.http.open_inference.bodies import InferenceAsk
from pentimento.service.messages import OUTPUT_WEIGHT
from pentimento.service.open_inference.answers import Answer, answer_values
from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.tensors import raw_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How an answer is to be: of which model, with which outputs."""

    target: Target
    asked: InferenceAsk
    names: tuple[str, ...] | None

    def is_binary(self, name: str) -> bool:
        """Whether an output is wanted as bytes."""
        return self.asked.binary_of.get(name, self.asked.binary)

    @property
    def weight(self) -> int:
        """Of a number of the answer, in pixel values: in JSON it is twenty characters."""
        names = self.names or ("",)
        return 1 if all(self.is_binary(name) for name in names) else OUTPUT_WEIGHT


def check_size(wanted: Wanted, n: int, steps: int, *, field: str = "n") -> int:
    """Refuses a whole answer too large to be held in memory, before anything is made.

    Args:
        wanted: The answer.
        n: Images.
        steps: Of the drawing.
        field: Request field to blame: the number of images.

    Returns:
        How much it weighs, in pixel values.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    values = answer_values(wanted.target, wanted.names, n, steps)
    size = values * wanted.weight
    if size > MAX_ANSWER_VALUES:
        most = MAX_ANSWER_VALUES // wanted.weight
        how = "in JSON" if wanted.weight > 1 else "as bytes"
        ways = f", or {MAX_ANSWER_VALUES} as bytes (binary_data)" if wanted.weight > 1 else ""
        raise invalid(
            field,
            f"is too large: an answer of {n} images has {values} numbers; {how} it may have {most}{ways}",
        )
    return size


def infer_response(wanted: Wanted, answer: Answer) -> Response:
    """The answer; writing it only computes, and takes long where it is large."""
    outputs: list[dict[str, Any]] = []
    raw: list[bytes] = []
    for tensor in answer.tensors:
        facts: dict[str, Any] = {
            "name": tensor.name,
            "shape": list(tensor.values.shape),
            "datatype": tensor.datatype,
        }
        if wanted.is_binary(tensor.name):
            raw.append(raw_bytes(tensor))
            facts["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            facts["data"] = tensor.values.ravel().tolist()
        outputs.append(facts)
    said: dict[str, Any] = {"model_name": wanted.target.name, "model_version": answer.version}
    if wanted.asked.id:
        said["id"] = wanted.asked.id
    content = to_json_bytes({**said, "parameters": dict(answer.parameters), "outputs": outputs})
    if not raw:
        return Response(content, media_type="application/json")
    headers = {"Inference-Header-Content-Length": str(len(content))}
    return Response(b"".join((content, *raw)), media_type="application/octet-stream", headers=headers)
