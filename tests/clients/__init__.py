"""What fetches from here: the Ansible clients, the client of routers, and what is known of them."""
