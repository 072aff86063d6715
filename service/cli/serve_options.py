"""Makes the options of `pentimento serve` from the settings: one list, one place for defaults and help."""

__all__ = ["settings_from", "with_settings_options"]

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from pentimento.bundle.wording import wrong
from pentimento.service.settings import Settings

# The panels of --help, each by the setting that it begins with.
_PANELS = {
    "host": "Where, and what",
    "provider": "Computing",
    "studio": "Browsers",
    "api_keys": "Who may come in",
    "tls_certificate_file": "TLS, proxies, other origins",
    "max_images": "What a request may ask for",
    "max_rows_in_flight": "How much, and how long",
    "drain_grace_s": "How it ends",
    "log_level": "The log",
}
_METAVARS = {int: "N", float: "X", Path: "PATH", str: "TEXT"}


def with_settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command that takes keyword arguments an option for each setting; None where it is not given."""
    parameters, panel = [], ""
    for name, field in Settings.model_fields.items():
        panel = _PANELS.get(name, panel)
        kind = _plain(field.annotation)
        flag = name.replace("_", "-")
        option = typer.Option(
            f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}",
            help=_help(field, kind),
            metavar=_METAVARS.get(kind),
            rich_help_panel=panel,
            show_default=False,
        )
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
        ValueError: One sentence that names the option, or the variable of the environment.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        reason, limits = wrong(first), _limits(Settings.model_fields[name])
        if limits and first["type"] in ("greater_than_equal", "less_than_equal", "greater_than"):
            reason = f"must be {limits}, got {first['input']}"
        what = f"--{name.replace('_', '-')}" if name in given else f"PENTIMENTO_{name.upper()}"
        raise ValueError(f"{what} {reason}") from None


def _help(field: FieldInfo, kind: Any) -> str:  # noqa: ANN401  # whatever a setting is annotated with
    text = " ".join((field.description or "").split())
    facts = [] if not (limits := _limits(field)) else [limits]
    if isinstance(field.default, bool):
        facts.append(f"default: {'yes' if field.default else 'no'}")
    elif field.default_factory is None and field.default not in (None, ""):
        facts.append(f"default: {field.default}")
    return f"{text} [{'; '.join(facts)}]" if facts else text


def _limits(field: FieldInfo) -> str:
    """The range of a number: `0..65535`, `at least 1`; empty without limits."""
    limits: dict[str, float] = {}
    for each in (*field.metadata, *_constraints(field.annotation)):
        limits |= {
            name: value for name in ("ge", "gt", "le") if (value := getattr(each, name, None)) is not None
        }
    most = limits.get("le")
    if "gt" in limits:
        return f"more than {limits['gt']}" + ("" if most is None else f", at most {most}")
    if "ge" in limits:
        return f"at least {limits['ge']}" if most is None else f"{limits['ge']}..{most}"
    return ""


def _constraints(annotation: Any) -> list[Any]:  # noqa: ANN401  # as above
    """Constraints within an optional type."""
    inner = [part for part in get_args(annotation) if get_origin(part) is Annotated]
    found = [each for part in inner for each in part.__metadata__]
    return [each for info in found for each in getattr(info, "metadata", [info])]


def _plain(annotation: Any) -> Any:  # noqa: ANN401  # as above
    """The type without None and without pydantic's constraints, which pydantic itself checks."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if annotation is SecretStr:
        return str
    if get_origin(annotation) is Literal:
        return annotation
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return _plain(kinds[0]) if type(None) in get_args(annotation) and len(kinds) == 1 else annotation
