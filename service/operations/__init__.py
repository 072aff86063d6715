"""What can be asked of the server, free of any protocol: checks, inputs, admission, drawings, readings."""
