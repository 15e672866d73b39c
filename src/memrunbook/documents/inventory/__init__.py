"""Reads inventories as Ansible's users have them: INI, YAML, folders, programs, group_vars and host_vars beside them."""
