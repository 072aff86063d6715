"""The program's training commands: what they ask for, do and say."""
