"""What `thanopg evaluate` and `thanopg tune` have in common."""
