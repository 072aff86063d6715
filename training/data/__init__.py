"""Data sets: finds or downloads them, reads their files, and makes their pixels black or white."""
