"""What `thanopg demo` does, step by step."""
