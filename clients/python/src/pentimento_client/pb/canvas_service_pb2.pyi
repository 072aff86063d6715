from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_ENCODING_UNSPECIFIED: _ClassVar[ImageEncoding]
    IMAGE_ENCODING_PNG: _ClassVar[ImageEncoding]
    IMAGE_ENCODING_UINT8: _ClassVar[ImageEncoding]
    IMAGE_ENCODING_FLOAT32: _ClassVar[ImageEncoding]

class ImageFit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_FIT_UNSPECIFIED: _ClassVar[ImageFit]
    IMAGE_FIT_EXACT: _ClassVar[ImageFit]
    IMAGE_FIT_RESIZE: _ClassVar[ImageFit]

class ScoreKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCORE_KIND_UNSPECIFIED: _ClassVar[ScoreKind]
    SCORE_KIND_DISCRIMINATOR: _ClassVar[ScoreKind]
    SCORE_KIND_CRITIC: _ClassVar[ScoreKind]

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    OPERATION_GENERATE: _ClassVar[Operation]
    OPERATION_SCORE: _ClassVar[Operation]
    OPERATION_ENCODE: _ClassVar[Operation]
    OPERATION_AUTOENCODE: _ClassVar[Operation]
    OPERATION_LIKELIHOOD: _ClassVar[Operation]
    OPERATION_COMPLETE: _ClassVar[Operation]

class Binarisation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINARISATION_UNSPECIFIED: _ClassVar[Binarisation]
    BINARISATION_SAMPLE: _ClassVar[Binarisation]
    BINARISATION_THRESHOLD: _ClassVar[Binarisation]

class Completion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPLETION_UNSPECIFIED: _ClassVar[Completion]
    COMPLETION_RASTER: _ClassVar[Completion]
    COMPLETION_EVERYWHERE: _ClassVar[Completion]

class LikelihoodKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIKELIHOOD_KIND_UNSPECIFIED: _ClassVar[LikelihoodKind]
    LIKELIHOOD_KIND_EXACT: _ClassVar[LikelihoodKind]
    LIKELIHOOD_KIND_BOUND: _ClassVar[LikelihoodKind]
    LIKELIHOOD_KIND_ESTIMATE: _ClassVar[LikelihoodKind]

class OutputMeaning(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_MEANING_UNSPECIFIED: _ClassVar[OutputMeaning]
    OUTPUT_MEANING_BOX: _ClassVar[OutputMeaning]
    OUTPUT_MEANING_PLAIN: _ClassVar[OutputMeaning]

class Prior(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIOR_UNSPECIFIED: _ClassVar[Prior]
    PRIOR_NORMAL: _ClassVar[Prior]
    PRIOR_UNIFORM: _ClassVar[Prior]
IMAGE_ENCODING_UNSPECIFIED: ImageEncoding
IMAGE_ENCODING_PNG: ImageEncoding
IMAGE_ENCODING_UINT8: ImageEncoding
IMAGE_ENCODING_FLOAT32: ImageEncoding
IMAGE_FIT_UNSPECIFIED: ImageFit
IMAGE_FIT_EXACT: ImageFit
IMAGE_FIT_RESIZE: ImageFit
SCORE_KIND_UNSPECIFIED: ScoreKind
SCORE_KIND_DISCRIMINATOR: ScoreKind
SCORE_KIND_CRITIC: ScoreKind
OPERATION_UNSPECIFIED: Operation
OPERATION_GENERATE: Operation
OPERATION_SCORE: Operation
OPERATION_ENCODE: Operation
OPERATION_AUTOENCODE: Operation
OPERATION_LIKELIHOOD: Operation
OPERATION_COMPLETE: Operation
BINARISATION_UNSPECIFIED: Binarisation
BINARISATION_SAMPLE: Binarisation
BINARISATION_THRESHOLD: Binarisation
COMPLETION_UNSPECIFIED: Completion
COMPLETION_RASTER: Completion
COMPLETION_EVERYWHERE: Completion
LIKELIHOOD_KIND_UNSPECIFIED: LikelihoodKind
LIKELIHOOD_KIND_EXACT: LikelihoodKind
LIKELIHOOD_KIND_BOUND: LikelihoodKind
LIKELIHOOD_KIND_ESTIMATE: LikelihoodKind
OUTPUT_MEANING_UNSPECIFIED: OutputMeaning
OUTPUT_MEANING_BOX: OutputMeaning
OUTPUT_MEANING_PLAIN: OutputMeaning
PRIOR_UNSPECIFIED: Prior
PRIOR_NORMAL: Prior
PRIOR_UNIFORM: Prior

class DrawingSpec(_message.Message):
    __slots__ = ("model", "image_count", "step_count", "seed", "label", "with_scores", "latents", "timeout_ms", "seeds", "score_by", "labels", "with_boxes", "controls", "label_name", "label_names")
    class SeedsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ControlsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WITH_SCORES_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    SCORE_BY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    WITH_BOXES_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    model: str
    image_count: int
    step_count: int
    seed: int
    label: int
    with_scores: bool
    latents: _containers.RepeatedCompositeFieldContainer[Tensor]
    timeout_ms: int
    seeds: _containers.ScalarMap[str, int]
    score_by: str
    labels: _containers.RepeatedScalarFieldContainer[int]
    with_boxes: bool
    controls: _containers.ScalarMap[str, float]
    label_name: str
    label_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, model: _Optional[str] = ..., image_count: _Optional[int] = ..., step_count: _Optional[int] = ..., seed: _Optional[int] = ..., label: _Optional[int] = ..., with_scores: _Optional[bool] = ..., latents: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., timeout_ms: _Optional[int] = ..., seeds: _Optional[_Mapping[str, int]] = ..., score_by: _Optional[str] = ..., labels: _Optional[_Iterable[int]] = ..., with_boxes: _Optional[bool] = ..., controls: _Optional[_Mapping[str, float]] = ..., label_name: _Optional[str] = ..., label_names: _Optional[_Iterable[str]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("name", "shape", "values", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    data: bytes
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImageShape(_message.Message):
    __slots__ = ("channels", "height", "width")
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    channels: int
    height: int
    width: int
    def __init__(self, channels: _Optional[int] = ..., height: _Optional[int] = ..., width: _Optional[int] = ...) -> None: ...

class DrawingHeader(_message.Message):
    __slots__ = ("model", "version", "seed", "image_count", "step_count", "score_kind", "image_shape", "encoding", "input", "conditioning", "scored_by")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SCORE_KIND_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHAPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CONDITIONING_FIELD_NUMBER: _ClassVar[int]
    SCORED_BY_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    seed: int
    image_count: int
    step_count: int
    score_kind: ScoreKind
    image_shape: ImageShape
    encoding: ImageEncoding
    input: bytes
    conditioning: str
    scored_by: ScoredBy
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., seed: _Optional[int] = ..., image_count: _Optional[int] = ..., step_count: _Optional[int] = ..., score_kind: _Optional[_Union[ScoreKind, str]] = ..., image_shape: _Optional[_Union[ImageShape, _Mapping]] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., input: _Optional[bytes] = ..., conditioning: _Optional[str] = ..., scored_by: _Optional[_Union[ScoredBy, _Mapping]] = ...) -> None: ...

class ScoredBy(_message.Message):
    __slots__ = ("model", "version")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("step", "images", "scores", "elapsed_us", "outputs")
    STEP_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_US_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    step: int
    images: _containers.RepeatedScalarFieldContainer[bytes]
    scores: Scores
    elapsed_us: int
    outputs: _containers.RepeatedCompositeFieldContainer[Tensor]
    def __init__(self, step: _Optional[int] = ..., images: _Optional[_Iterable[bytes]] = ..., scores: _Optional[_Union[Scores, _Mapping]] = ..., elapsed_us: _Optional[int] = ..., outputs: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ...) -> None: ...

class Scores(_message.Message):
    __slots__ = ("kind", "logits", "probabilities")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LOGITS_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    kind: ScoreKind
    logits: _containers.RepeatedScalarFieldContainer[float]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, kind: _Optional[_Union[ScoreKind, str]] = ..., logits: _Optional[_Iterable[float]] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class Timing(_message.Message):
    __slots__ = ("queue_us", "total_us")
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    TOTAL_US_FIELD_NUMBER: _ClassVar[int]
    queue_us: int
    total_us: int
    def __init__(self, queue_us: _Optional[int] = ..., total_us: _Optional[int] = ...) -> None: ...

class StreamCanvasRequest(_message.Message):
    __slots__ = ("drawing", "encoding")
    DRAWING_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    drawing: DrawingSpec
    encoding: ImageEncoding
    def __init__(self, drawing: _Optional[_Union[DrawingSpec, _Mapping]] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ...) -> None: ...

class StreamCanvasResponse(_message.Message):
    __slots__ = ("header", "frame", "summary")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    header: DrawingHeader
    frame: Frame
    summary: DrawingSummary
    def __init__(self, header: _Optional[_Union[DrawingHeader, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., summary: _Optional[_Union[DrawingSummary, _Mapping]] = ...) -> None: ...

class DrawingSummary(_message.Message):
    __slots__ = ("frame_count", "timing")
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    frame_count: int
    timing: Timing
    def __init__(self, frame_count: _Optional[int] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("drawing", "encoding", "final_frame_only")
    DRAWING_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    FINAL_FRAME_ONLY_FIELD_NUMBER: _ClassVar[int]
    drawing: DrawingSpec
    encoding: ImageEncoding
    final_frame_only: bool
    def __init__(self, drawing: _Optional[_Union[DrawingSpec, _Mapping]] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., final_frame_only: _Optional[bool] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("header", "frames", "timing")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    header: DrawingHeader
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    timing: Timing
    def __init__(self, header: _Optional[_Union[DrawingHeader, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ...) -> None: ...

class ScoreRequest(_message.Message):
    __slots__ = ("model", "images", "fit", "timeout_ms", "label", "latents", "group", "label_name")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model: str
    images: _containers.RepeatedScalarFieldContainer[bytes]
    fit: ImageFit
    timeout_ms: int
    label: int
    latents: _containers.RepeatedCompositeFieldContainer[Tensor]
    group: bool
    label_name: str
    def __init__(self, model: _Optional[str] = ..., images: _Optional[_Iterable[bytes]] = ..., fit: _Optional[_Union[ImageFit, str]] = ..., timeout_ms: _Optional[int] = ..., label: _Optional[int] = ..., latents: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., group: _Optional[bool] = ..., label_name: _Optional[str] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("model", "version", "scores", "timing", "group")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    scores: Scores
    timing: Timing
    group: bool
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., scores: _Optional[_Union[Scores, _Mapping]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., group: _Optional[bool] = ...) -> None: ...

class AutoencodeRequest(_message.Message):
    __slots__ = ("model", "image", "sample_count", "fit", "step_count", "seed", "label", "with_scores", "timeout_ms", "encoding", "score_by", "with_boxes", "controls", "label_name")
    class ControlsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WITH_SCORES_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SCORE_BY_FIELD_NUMBER: _ClassVar[int]
    WITH_BOXES_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model: str
    image: bytes
    sample_count: int
    fit: ImageFit
    step_count: int
    seed: int
    label: int
    with_scores: bool
    timeout_ms: int
    encoding: ImageEncoding
    score_by: str
    with_boxes: bool
    controls: _containers.ScalarMap[str, float]
    label_name: str
    def __init__(self, model: _Optional[str] = ..., image: _Optional[bytes] = ..., sample_count: _Optional[int] = ..., fit: _Optional[_Union[ImageFit, str]] = ..., step_count: _Optional[int] = ..., seed: _Optional[int] = ..., label: _Optional[int] = ..., with_scores: _Optional[bool] = ..., timeout_ms: _Optional[int] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., score_by: _Optional[str] = ..., with_boxes: _Optional[bool] = ..., controls: _Optional[_Mapping[str, float]] = ..., label_name: _Optional[str] = ...) -> None: ...

class AutoencodeResponse(_message.Message):
    __slots__ = ("header", "frame", "summary", "encoder_output")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ENCODER_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    header: DrawingHeader
    frame: Frame
    summary: DrawingSummary
    encoder_output: EncoderOutput
    def __init__(self, header: _Optional[_Union[DrawingHeader, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., summary: _Optional[_Union[DrawingSummary, _Mapping]] = ..., encoder_output: _Optional[_Union[EncoderOutput, _Mapping]] = ...) -> None: ...

class EncoderOutput(_message.Message):
    __slots__ = ("tensors",)
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[Tensor]
    def __init__(self, tensors: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ...) -> None: ...

class CompleteRequest(_message.Message):
    __slots__ = ("model", "image", "mask", "image_count", "fit", "step_count", "seed", "label", "with_scores", "timeout_ms", "encoding", "score_by", "with_boxes", "controls", "label_name")
    class ControlsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WITH_SCORES_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SCORE_BY_FIELD_NUMBER: _ClassVar[int]
    WITH_BOXES_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model: str
    image: bytes
    mask: bytes
    image_count: int
    fit: ImageFit
    step_count: int
    seed: int
    label: int
    with_scores: bool
    timeout_ms: int
    encoding: ImageEncoding
    score_by: str
    with_boxes: bool
    controls: _containers.ScalarMap[str, float]
    label_name: str
    def __init__(self, model: _Optional[str] = ..., image: _Optional[bytes] = ..., mask: _Optional[bytes] = ..., image_count: _Optional[int] = ..., fit: _Optional[_Union[ImageFit, str]] = ..., step_count: _Optional[int] = ..., seed: _Optional[int] = ..., label: _Optional[int] = ..., with_scores: _Optional[bool] = ..., timeout_ms: _Optional[int] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., score_by: _Optional[str] = ..., with_boxes: _Optional[bool] = ..., controls: _Optional[_Mapping[str, float]] = ..., label_name: _Optional[str] = ...) -> None: ...

class CompleteResponse(_message.Message):
    __slots__ = ("header", "frame", "summary")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    header: DrawingHeader
    frame: Frame
    summary: DrawingSummary
    def __init__(self, header: _Optional[_Union[DrawingHeader, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., summary: _Optional[_Union[DrawingSummary, _Mapping]] = ...) -> None: ...

class EncodeRequest(_message.Message):
    __slots__ = ("model", "images", "fit", "label", "seed", "timeout_ms", "encoding", "label_name")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model: str
    images: _containers.RepeatedScalarFieldContainer[bytes]
    fit: ImageFit
    label: int
    seed: int
    timeout_ms: int
    encoding: ImageEncoding
    label_name: str
    def __init__(self, model: _Optional[str] = ..., images: _Optional[_Iterable[bytes]] = ..., fit: _Optional[_Union[ImageFit, str]] = ..., label: _Optional[int] = ..., seed: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., label_name: _Optional[str] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("header", "output", "timing")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    header: ReadingHeader
    output: EncoderOutput
    timing: Timing
    def __init__(self, header: _Optional[_Union[ReadingHeader, _Mapping]] = ..., output: _Optional[_Union[EncoderOutput, _Mapping]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ...) -> None: ...

class ReadingHeader(_message.Message):
    __slots__ = ("model", "version", "seed", "inputs", "image_shape", "encoding")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHAPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: str
    seed: int
    inputs: _containers.RepeatedScalarFieldContainer[bytes]
    image_shape: ImageShape
    encoding: ImageEncoding
    def __init__(self, model: _Optional[str] = ..., version: _Optional[str] = ..., seed: _Optional[int] = ..., inputs: _Optional[_Iterable[bytes]] = ..., image_shape: _Optional[_Union[ImageShape, _Mapping]] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ...) -> None: ...

class EstimateLikelihoodRequest(_message.Message):
    __slots__ = ("model", "images", "fit", "importance_sample_count", "with_pixels", "label", "seed", "timeout_ms", "encoding", "label_name")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    WITH_PIXELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    model: str
    images: _containers.RepeatedScalarFieldContainer[bytes]
    fit: ImageFit
    importance_sample_count: int
    with_pixels: bool
    label: int
    seed: int
    timeout_ms: int
    encoding: ImageEncoding
    label_name: str
    def __init__(self, model: _Optional[str] = ..., images: _Optional[_Iterable[bytes]] = ..., fit: _Optional[_Union[ImageFit, str]] = ..., importance_sample_count: _Optional[int] = ..., with_pixels: _Optional[bool] = ..., label: _Optional[int] = ..., seed: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., encoding: _Optional[_Union[ImageEncoding, str]] = ..., label_name: _Optional[str] = ...) -> None: ...

class EstimateLikelihoodResponse(_message.Message):
    __slots__ = ("header", "kind", "importance_sample_count", "nats", "bits_per_dimension", "pixels", "timing", "standard_errors")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NATS_FIELD_NUMBER: _ClassVar[int]
    BITS_PER_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERRORS_FIELD_NUMBER: _ClassVar[int]
    header: ReadingHeader
    kind: LikelihoodKind
    importance_sample_count: int
    nats: _containers.RepeatedScalarFieldContainer[float]
    bits_per_dimension: _containers.RepeatedScalarFieldContainer[float]
    pixels: Tensor
    timing: Timing
    standard_errors: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, header: _Optional[_Union[ReadingHeader, _Mapping]] = ..., kind: _Optional[_Union[LikelihoodKind, str]] = ..., importance_sample_count: _Optional[int] = ..., nats: _Optional[_Iterable[float]] = ..., bits_per_dimension: _Optional[_Iterable[float]] = ..., pixels: _Optional[_Union[Tensor, _Mapping]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., standard_errors: _Optional[_Iterable[float]] = ...) -> None: ...

class StepRange(_message.Message):
    __slots__ = ("default_count", "min_count", "max_count", "trained_count", "best_count")
    DEFAULT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINED_COUNT_FIELD_NUMBER: _ClassVar[int]
    BEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    default_count: int
    min_count: int
    max_count: int
    trained_count: int
    best_count: int
    def __init__(self, default_count: _Optional[int] = ..., min_count: _Optional[int] = ..., max_count: _Optional[int] = ..., trained_count: _Optional[int] = ..., best_count: _Optional[int] = ...) -> None: ...

class LatentSpec(_message.Message):
    __slots__ = ("name", "shape", "prior", "per_call", "call_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    PER_CALL_FIELD_NUMBER: _ClassVar[int]
    CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    prior: Prior
    per_call: bool
    call_count: int
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., prior: _Optional[_Union[Prior, str]] = ..., per_call: _Optional[bool] = ..., call_count: _Optional[int] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "family", "summary", "is_default", "operations", "image_shape", "steps", "score_kind", "label_names", "latents", "level_count", "binarisation", "completion", "likelihood_kind", "outputs", "score_takes", "group_size", "controls")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHAPE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SCORE_KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    BINARISATION_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    LIKELIHOOD_KIND_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    SCORE_TAKES_FIELD_NUMBER: _ClassVar[int]
    GROUP_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    family: str
    summary: str
    is_default: bool
    operations: _containers.RepeatedScalarFieldContainer[Operation]
    image_shape: ImageShape
    steps: StepRange
    score_kind: ScoreKind
    label_names: _containers.RepeatedScalarFieldContainer[str]
    latents: _containers.RepeatedCompositeFieldContainer[LatentSpec]
    level_count: int
    binarisation: Binarisation
    completion: Completion
    likelihood_kind: LikelihoodKind
    outputs: _containers.RepeatedCompositeFieldContainer[FrameOutput]
    score_takes: _containers.RepeatedScalarFieldContainer[str]
    group_size: int
    controls: _containers.RepeatedCompositeFieldContainer[Control]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., family: _Optional[str] = ..., summary: _Optional[str] = ..., is_default: _Optional[bool] = ..., operations: _Optional[_Iterable[_Union[Operation, str]]] = ..., image_shape: _Optional[_Union[ImageShape, _Mapping]] = ..., steps: _Optional[_Union[StepRange, _Mapping]] = ..., score_kind: _Optional[_Union[ScoreKind, str]] = ..., label_names: _Optional[_Iterable[str]] = ..., latents: _Optional[_Iterable[_Union[LatentSpec, _Mapping]]] = ..., level_count: _Optional[int] = ..., binarisation: _Optional[_Union[Binarisation, str]] = ..., completion: _Optional[_Union[Completion, str]] = ..., likelihood_kind: _Optional[_Union[LikelihoodKind, str]] = ..., outputs: _Optional[_Iterable[_Union[FrameOutput, _Mapping]]] = ..., score_takes: _Optional[_Iterable[str]] = ..., group_size: _Optional[int] = ..., controls: _Optional[_Iterable[_Union[Control, _Mapping]]] = ...) -> None: ...

class Control(_message.Message):
    __slots__ = ("name", "min_value", "max_value", "default_value", "summary")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    name: str
    min_value: float
    max_value: float
    default_value: float
    summary: str
    def __init__(self, name: _Optional[str] = ..., min_value: _Optional[float] = ..., max_value: _Optional[float] = ..., default_value: _Optional[float] = ..., summary: _Optional[str] = ...) -> None: ...

class FrameOutput(_message.Message):
    __slots__ = ("name", "meaning", "points", "summary")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEANING_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    name: str
    meaning: OutputMeaning
    points: int
    summary: str
    def __init__(self, name: _Optional[str] = ..., meaning: _Optional[_Union[OutputMeaning, str]] = ..., points: _Optional[int] = ..., summary: _Optional[str] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("name", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "refusals")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model", "manifest_json")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_JSON_FIELD_NUMBER: _ClassVar[int]
    model: Model
    manifest_json: str
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., manifest_json: _Optional[str] = ...) -> None: ...

class ReloadModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReloadModelsResponse(_message.Message):
    __slots__ = ("added", "replaced", "removed_names", "kept_names", "refusals", "default_model")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_NAMES_FIELD_NUMBER: _ClassVar[int]
    KEPT_NAMES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_MODEL_FIELD_NUMBER: _ClassVar[int]
    added: _containers.RepeatedCompositeFieldContainer[ModelRevision]
    replaced: _containers.RepeatedCompositeFieldContainer[ModelRevision]
    removed_names: _containers.RepeatedScalarFieldContainer[str]
    kept_names: _containers.RepeatedScalarFieldContainer[str]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    default_model: str
    def __init__(self, added: _Optional[_Iterable[_Union[ModelRevision, _Mapping]]] = ..., replaced: _Optional[_Iterable[_Union[ModelRevision, _Mapping]]] = ..., removed_names: _Optional[_Iterable[str]] = ..., kept_names: _Optional[_Iterable[str]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., default_model: _Optional[str] = ...) -> None: ...

class ModelRevision(_message.Message):
    __slots__ = ("name", "version", "previous_version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    previous_version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., previous_version: _Optional[str] = ...) -> None: ...
