"""Server, service and worker of one home, kept running together."""
