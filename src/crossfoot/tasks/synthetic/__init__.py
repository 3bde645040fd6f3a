"""Synthetic filing pages with labelled conversations.

Example: ``generate(3, seed=0)`` is three conversations. Wording, table shapes and the mix of
operations follow the training files of FinQA and ConvFinQA (Chen et al. 2021 and 2022); every
figure, company and sentence is made up.
"""

from crossfoot.tasks.synthetic.generate import generate, to_record

__all__ = ["generate", "to_record"]
