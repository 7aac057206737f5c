"""How fast this machine is with one model: measured part by part, kept, and what a worker can expect of it."""
