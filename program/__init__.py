"""What the commands of both halves have in common: how they print, tabulate, help, and end."""
