"""Hosts that Ansible reaches by SSH, made of namespaces: the fixture ``ssh_hosts`` is for every test."""
