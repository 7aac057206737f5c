"""Text-to-image search inside PostgreSQL. Importing this loads neither torch nor IPython."""

__version__ = "0.1.0"
