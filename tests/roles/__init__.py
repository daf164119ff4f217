"""The roles of our collection, applied by real Ansible to hosts with systemd."""
