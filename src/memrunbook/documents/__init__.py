"""Files in and out: YAML with positions, problems, schemas, binding."""
