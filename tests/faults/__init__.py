"""Processes are killed, servers crash, files change: afterwards nothing is lost and nothing is stale."""
