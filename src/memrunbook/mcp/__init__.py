"""A front end for assistants (MCP): they read and propose. It loads no use case that changes anything."""
