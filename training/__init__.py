"""Training, evaluation and export, offline and with torch. The server never imports this package."""
