"""The use cases, free of any protocol: checks, inputs, admission, drawings, readings, pictures."""
