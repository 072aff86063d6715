"""A lane: a worker with a scheduler of its own, which calls graphs in a process or in threads."""
