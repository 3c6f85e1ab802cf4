"""The zoo: named architectures, presets of their settings, and models by name."""

from kerasep.zoo.registry import describe, list_entries, load, trained_preset

__all__ = ["describe", "list_entries", "load", "trained_preset"]
