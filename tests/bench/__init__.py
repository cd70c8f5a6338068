"""What the agent promises in figures: a module a promise, each with `measure() -> list[Row]`."""
