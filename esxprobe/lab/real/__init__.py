"""Guests that really run: user-mode-linux kernels under a simulated host, and native processes as the reference.

`agent`, `supervisor` and `workload` are scripts that run in a Python process of their own. They import the standard
library only.
"""
