"""Crossfoot: small language models that answer questions about financial filings, checkably."""

__version__ = "0.1.0"
