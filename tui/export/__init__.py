"""Calls on their way elsewhere: `csv_json` writes them to a file or a pipe, a million in the
memory of one; `clipboard` copies a line.
"""
