"""Start fakepve, somebody else's stand-in, in this process: its command line makes no API tokens.

    python tests/provisioning/pve/second_opinion.py CERTIFICATE KEY TOKEN_ID SECRET

Run, never imported: fakepve is under the AGPL. Prints its address.
"""

import asyncio
import sys


async def main(certificate: str, key: str, token: str, secret: str) -> None:
    from fakepve import FakePve

    pve = FakePve(user="root@pam", password=secret, host="127.0.0.1", port=0)
    pve.time_scale = 0
    pve.apitokens[token] = secret
    template = {
        "agent": "1",
        "boot": "order=scsi0",
        "cores": 2,
        "memory": "2048",
        "net0": "virtio=BC:24:11:00:23:28,bridge=vmbr0,firewall=1",
        "scsi0": "local-lvm:base-9000-disk-0,size=10G",
    }
    pve.add_vm(9000, "debian-13-1.10", node="pve1", template=True, config=template)
    card = {"net0": "virtio=BC:24:11:00:00:64,bridge=vmbr0"}
    pve.add_vm(100, "opnsense", node="pve1", status="running", config=card)
    await pve.start(certificate, key)
    print(f"https://{pve.host}:{pve.port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
