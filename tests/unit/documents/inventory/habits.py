"""Ten habits of keeping an inventory, each as small as it can be: files by their names, and what is meant by them."""

from __future__ import annotations

from typing import NamedTuple


class Habit(NamedTuple):
    """The files, the one that is named, and what is expected: members of groups, and `user@address:port` of hosts."""

    files: dict[str, str]
    source: str
    members: dict[str, list[str]]
    reached: dict[str, str]


HABITS = {
    "a flat list of addresses with a login each": Habit(
        {"hosts": "10.9.0.1 ansible_ssh_user=pi ansible_ssh_pass=raspberry\n10.9.0.2 ansible_user=root\n"},
        "hosts",
        {"ungrouped": ["10.9.0.1", "10.9.0.2"]},
        {"10.9.0.1": "pi@10.9.0.1", "10.9.0.2": "root@10.9.0.2"},
    ),
    "many services as children of a few groups of machines": Habit(
        {
            "multinode": "[control]\nctl[01:02]\n[compute]\ncmp01\n[deployment]\nlocalhost ansible_connection=local\n"
            "[baremetal:children]\ncontrol\ncompute\n[api:children]\ncontrol\n[api-worker:children]\napi\n[agent:children]\n"
            "compute\napi\n"
        },
        "multinode",
        {
            "baremetal": ["ctl01", "ctl02", "cmp01"],
            "api-worker": ["ctl01", "ctl02"],
            "agent": ["cmp01", "ctl01", "ctl02"],
        },
        {"ctl01": "ctl01", "localhost": "local"},
    ),
    "a folder for each stage, variables in files": Habit(
        {
            "inventories/production/hosts": "[app]\nnode-a\n[app:vars]\nansible_port=22\n",
            "inventories/production/group_vars/all/vars.yml": "---\nansible_user: deploy\nansible_port: 2200\n",
            "inventories/production/group_vars/app.yml": "ansible_port: 2201\n",
            "inventories/production/host_vars/node-a/net.yml": "ansible_host: 10.1.0.1\n",
            "inventories/staging/hosts": "[app]\nnode-b\n",
        },
        "inventories/production",
        {"app": ["node-a"]},
        {"node-a": "deploy@10.1.0.1:2201"},
    ),
    "YAML with everything in it": Habit(
        {
            "hosts.yml": "all:\n  vars: {ansible_user: cp, ansible_become: true}\n"
            "broker:\n  hosts:\n    ip-10-0-0-[1:2].internal:\n      ansible_ssh_private_key_file: ~/key.pem\n"
            "registry:\n  hosts: {ip-10-0-0-3.internal: {broker_id: 3}}\n"
        },
        "hosts.yml",
        {"broker": ["ip-10-0-0-1.internal", "ip-10-0-0-2.internal"]},
        {"ip-10-0-0-3.internal": "cp@ip-10-0-0-3.internal"},
    ),
    "hosts behind a bastion": Habit(
        {
            "hosts.ini": "[bastion]\ngate ansible_host=203.0.113.9\n"
            "[inner]\nin[1:2] ansible_host='10.0.0.{{ n }}' n=7\n[inner:vars]\n"
            """ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p -q ops@203.0.113.9"'\n"""
        },
        "hosts.ini",
        {"inner": ["in1", "in2"]},
        {"in2": "10.0.0.7", "gate": "203.0.113.9"},
    ),
    "Windows and network devices beside Linux": Habit(
        {
            "hosts": "[linux]\nl1\n[win]\nw1\n[switches]\ns1\n[win:vars]\nansible_connection=winrm\nansible_port=5986\n"
            "[switches:vars]\nansible_connection=ansible.netcommon.network_cli\nansible_network_os=ios\n"
        },
        "hosts",
        {"win": ["w1"], "switches": ["s1"]},
        {"l1": "l1", "w1": "ansible_connection is winrm", "s1": "ansible_connection is ansible.netcommon.network_cli"},
    ),
    "aliases, one machine in several stages": Habit(
        {
            "hosts/production": "[production]\nserver\n[web]\nserver\n",
            "hosts/staging": "[staging]\nserver\nstage ansible_host=192.0.2.20\n[web]\nstage\n",
            "hosts/group_vars/web.yml": "{ansible_user: web, hosts_file: [a, b]}\n",
        },
        "hosts",
        {"web": ["server", "stage"], "staging": ["server", "stage"]},
        {"server": "web@server", "stage": "web@192.0.2.20"},
    ),
    "secrets by ansible-vault in values that are not ours": Habit(
        {
            "hosts": "[db]\ndb1\n",
            "group_vars/db.yml": "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nansible_user: dba\n",
        },
        "hosts",
        {"db": ["db1"]},
        {"db1": "dba@db1"},
    ),
    "a program of a cloud, labels and all": Habit(
        {
            "inv/ec2.py": "#!/bin/sh\ncat <<'END'\n"
            '{"_meta": {"hostvars": {"198.51.100.7": {"ansible_host": "10.2.0.7", "tags": {"Name": "web"}}}},'
            ' "tag_Name_web": ["198.51.100.7"], "us-east-1": ["198.51.100.7"],'
            ' "aws": {"children": ["us-east-1"]}}\nEND\n',
            "inv/ec2.ini": "[ec2]\nregions = all\nregions_exclude = us-gov-west-1, cn-north-1\n",
            "inv/group_vars/us-east-1": "ansible_user: ec2-user\n",
        },
        "inv",
        {"aws": ["198.51.100.7"], "tag_Name_web": ["198.51.100.7"]},
        {"198.51.100.7": "ec2-user@10.2.0.7"},
    ),
    "sections as people mark them, stray blanks, comments, tabs": Habit(
        {
            "hosts": "# Home lab\n\n[pis]   # all of them\n"
            "  pi-01-k\tansible_host=pi-01.lan   # kitchen\n  pi-02-k\n\n\n[nucs]\nnuc-01:2222\n;nuc-02\n"
            "[homelab:children]\n  pis\n  nucs   # both\n[homelab:vars]\n  ansible_user = me\n"
        },
        "hosts",
        {"homelab": ["pi-01-k", "pi-02-k", "nuc-01"]},
        {"pi-01-k": "me@pi-01.lan", "nuc-01": "me@nuc-01:2222"},
    ),
    "IPv6 and ports in names": Habit(
        {
            "hosts": "[six]\n2001:db8::5\n[2001:db8::6]:2222 ansible_user=ops\n"
            "six7.example.com:22 ansible_host=2001:db8::7\n"
        },
        "hosts",
        {"six": ["2001:db8::5", "2001:db8::6", "six7.example.com"]},
        {"2001:db8::6": "ops@[2001:db8::6]:2222", "six7.example.com": "[2001:db8::7]:22"},
    ),
}
