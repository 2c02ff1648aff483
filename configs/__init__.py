"""The product's configuration files, as a package so that they travel with an installation."""

from pathlib import Path

ROOT = Path(__file__).parent
