"""One file a subject, each with a plain function from a `Site` to findings (`runner.Check`)."""
