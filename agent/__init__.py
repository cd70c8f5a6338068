"""diemcau: the agent in a meeting room."""

__version__ = "0.1.0"
