"""Makes the options of `pentimento serve` from the settings: one list, one place for defaults and help."""

__all__ = ["settings_from", "with_settings_options"]

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic import SecretStr, ValidationError

from pentimento.service.settings import Settings


def with_settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command that takes keyword arguments an option for each setting; None where it is not given."""
    parameters = []
    for name, field in Settings.model_fields.items():
        kind = _plain(field.annotation)
        text = " ".join((field.description or "").split())
        if field.default not in (None, ""):
            text += f" [default: {field.default}]"
        flag = name.replace("_", "-")
        names = f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}"
        option = typer.Option(names, help=text, show_default=False)
        # None: not given, and then the environment or the default counts, which pydantic-settings knows.
        annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Makes settings from options; what is None comes from the environment, or is the default.

    Args:
        options: Values by name of the setting.

    Raises:
        ValueError: One sentence that names the option.
    """
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        reason = first["msg"].removeprefix("Input ")
        raise ValueError(f"{option} {reason}, got {first['input']!r}") from None


def _plain(annotation: Any) -> Any:  # noqa: ANN401  # whatever a setting is annotated with
    """The type without None and without pydantic's constraints, which pydantic itself checks."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if annotation is SecretStr:
        return str
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return _plain(kinds[0]) if type(None) in get_args(annotation) and len(kinds) == 1 else annotation
