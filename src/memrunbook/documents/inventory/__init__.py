"""Reads inventories as Ansible has them: INI, YAML, folders, programs, group_vars and host_vars beside them."""
