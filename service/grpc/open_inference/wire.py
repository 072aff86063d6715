"""Between the protocol's messages and what the operations take and give."""

__all__ = ["ask_of", "infer_message", "parameter_value"]

from collections.abc import Mapping
from typing import Any

from pentimento.service.errors import invalid, named, quoted
from pentimento.service.grpc.pb import open_inference_pb2 as pb
from pentimento.service.open_inference.answers import Answer
from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.requests import Ask
from pentimento.service.open_inference.tensors import DATATYPES, NO_SHARED_MEMORY, Given, raw_bytes

_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def ask_of(request: pb.ModelInferRequest) -> Ask:
    """A request for inference, free of its form.

    Raises:
        PentimentoError: INVALID_ARGUMENT: a tensor has no numbers, or twice; or parameters of its own.
    """
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        message = f"must have an entry for each of the {len(request.inputs)} inputs, got {len(raw)}"
        raise invalid("raw_input_contents", message)
    inputs = [
        _given(f"inputs[{index}]", tensor, raw[index] if raw else None)
        for index, tensor in enumerate(request.inputs)
    ]
    for index, output in enumerate(request.outputs):
        _refuse_parameters(f"outputs[{index}].parameters", output.parameters)
    return Ask(
        inputs=inputs,
        outputs=[output.name for output in request.outputs] or None,
        parameters={name: parameter_value(each) for name, each in request.parameters.items()},
    )


def _given(field: str, tensor: pb.ModelInferRequest.InferInputTensor, raw: bytes | None) -> Given:
    if tensor.datatype not in DATATYPES:
        message = f"must be a datatype of the protocol such as FP32, got {quoted(tensor.datatype)}"
        raise invalid(f"{field}.datatype", message)
    _refuse_parameters(f"{field}.parameters", tensor.parameters)
    data: list[Any] | None = None
    if raw is None:
        contents = _CONTENTS.get(tensor.datatype)
        if contents is None:
            message = f"is needed for the numbers of {tensor.datatype}, which have no other field"
            raise invalid("raw_input_contents", message)
        data = list(getattr(tensor.contents, contents))
    elif tensor.HasField("contents"):
        raise invalid(f"{field}.contents", "is given twice: there, and in raw_input_contents")
    return Given(name=tensor.name, datatype=tensor.datatype, shape=tuple(tensor.shape), raw=raw, data=data)


def _refuse_parameters(field: str, parameters: Mapping[str, pb.InferParameter]) -> None:
    for name in parameters:
        if name.startswith("shared_memory"):
            raise invalid(f"{field}.{name}", NO_SHARED_MEMORY)
        if name == "classification":
            raise invalid(
                f"{field}.{name}", "cannot be given: outputs are pictures and numbers, and no classes"
            )
        raise invalid(f"{field}.{named(name)}", "is not known here; there is none")


def parameter_value(parameter: pb.InferParameter) -> object:
    """What a parameter holds; None if nothing."""
    choice = parameter.WhichOneof("parameter_choice")
    return None if choice is None else getattr(parameter, choice)


def infer_message(
    target: Target, answer: Answer, id: str, final: bool | None = None
) -> pb.ModelInferResponse:
    """An answer as a message.

    Args:
        target: The model.
        answer: What it gives.
        id: As in the request.
        final: Of a stream, whether this is the last of its request; else None.
    """
    message = pb.ModelInferResponse(
        model_name=target.name,
        model_version=answer.version,
        id=id,
        outputs=[
            pb.ModelInferResponse.InferOutputTensor(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.values.shape
            )
            for tensor in answer.tensors
        ],
        raw_output_contents=[raw_bytes(tensor) for tensor in answer.tensors],
    )
    for name, value in answer.parameters.items():
        if isinstance(value, bool):
            message.parameters[name].bool_param = value
        elif isinstance(value, int):
            message.parameters[name].int64_param = value
        else:
            message.parameters[name].string_param = value
    if final is not None:
        message.parameters["triton_final_response"].bool_param = final
    return message
