"""``python -m crossfoot``, and ``accelerate launch -m crossfoot train RECIPE``."""

from crossfoot.cli.main import run

run()
