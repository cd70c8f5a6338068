"""The demo: two rooms are called into a meeting and it is checked what each saw and heard."""
