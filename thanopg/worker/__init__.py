"""The process that drains pending rows: claim → read and decode → embed → write, overlapped. It remembers nothing."""
