"""The families of trainings, a folder each; `table.py` lists them, and nothing else names one."""
