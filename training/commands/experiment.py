"""`pentimento experiment` lists the studies of the papers' claims, and runs one.

One table has them all. Three are older than the group, and keep their names outside of it, too: `pentimento
modes` is `pentimento experiment modes`, the same function with the same options.
"""

__all__ = ["EXPERIMENTS", "Experiment", "experiment_app"]

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import typer

from pentimento.program.console import make_console
from pentimento.program.help import HelpfulCommand, HelpfulGroup
from pentimento.program.tables import AsJson, Column, print_json, print_table
from pentimento.training.commands.critic_surfaces import critic_surfaces
from pentimento.training.commands.latent_neighbours import latent_neighbours
from pentimento.training.commands.modes import modes
from pentimento.training.commands.ood import ood
from pentimento.training.commands.options import with_training
from pentimento.training.commands.pixel_layers import pixel_layers
from pentimento.training.commands.recurrent_toy import recurrent_toy
from pentimento.training.commands.stability import stability


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """A study that leaves a table as Markdown and JSON, and one picture."""

    run: Callable[..., None]  # the command; its docstring begins with what it finds out
    cost: str  # of all of it with its defaults, on one or two CPU cores

    @property
    def name(self) -> str:
        """By which it is asked for, such as `recurrent-toy`."""
        return self.run.__name__.replace("_", "-")

    @property
    def what(self) -> str:
        """What it finds out, in a sentence."""
        return inspect.cleandoc(self.run.__doc__ or "").partition("\n")[0]


EXPERIMENTS = (
    Experiment(run=recurrent_toy, cost="minutes"),
    Experiment(run=modes, cost="half an hour"),
    Experiment(run=critic_surfaces, cost="ten minutes"),
    Experiment(run=pixel_layers, cost="an hour and a half"),
    Experiment(run=latent_neighbours, cost="an hour and a quarter"),
    Experiment(run=ood, cost="three hours"),
    Experiment(run=stability, cost="an hour and a half"),
)

experiment_app = typer.Typer(
    cls=HelpfulGroup,
    invoke_without_command=True,
    help="Test a claim of the papers; without a name, list the experiments.",
    add_completion=False,
)


@experiment_app.callback()
def experiments(context: typer.Context, as_json: AsJson = False) -> None:
    """Test a claim of the papers; without a name, list the experiments.

    Each leaves a table as Markdown and JSON, and one picture, in the
    folder that `--out` names. What is finished is kept there, so a call
    that was interrupted goes on when it is repeated.
    """
    if context.invoked_subcommand is not None:
        return
    if as_json:
        found = [{"name": each.name, "cost": each.cost, "what": each.what} for each in EXPERIMENTS]
        print_json({"experiments": found})
        return
    columns = [Column("experiment"), Column("takes"), Column("what")]
    print_table(make_console(), columns, [[each.name, each.cost, each.what] for each in EXPERIMENTS])


for _each in EXPERIMENTS:
    experiment_app.command(name=_each.name, cls=HelpfulCommand)(with_training(_each.run))
