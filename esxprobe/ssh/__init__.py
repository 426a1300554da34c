"""SSH logins on hosts, jump hosts and guests; the only room that knows paramiko.

`connect.open_shell(target, connect.Login(...))` gives a `shell.SshShell`, which runs one command at a time. The
host's key is always checked, secrets are asked for when they are needed and sent once, and every failure is a
`HostError` with a hint.

In the order of a login: `target` (what a person writes), `config` (ssh_config), `proxy` and `transport` (the way,
versions and key exchange), `algorithms`, `hostkeys`, `keys` and `auth` (who we are, with `secrets`), `facts`,
`shell` (commands). `words` names hosts and keys in messages.
"""
