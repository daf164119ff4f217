"""A stand-in for Proxmox VE, strict enough to be argued with: ``python -m tests.provisioning.pve --help``.

Its own process, TLS, only the standard library and ``cryptography`` for the certificate. It checks every call against an
extract of the API description of 8.4 or 9.1, keeps real state, words its refusals as Proxmox does, breaks on request
(``faults``), and keeps a log of requests. What it does not know it refuses, and never answers with success.
"""
