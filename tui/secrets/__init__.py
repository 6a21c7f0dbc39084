"""Tokens, and the processes that may see them.

`tokens` looks for an account's token in the environment, by its `token_command`, in the keyring;
`keyring_process` is one question to the keyring, in a process that can be killed; `process` runs
children that cannot hang us and learn nothing, and hardens this process.

May import `tui.config`, and `tui.log`. Nothing here keeps a token in clear text.
"""
