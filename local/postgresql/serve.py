"""PostgreSQL in a folder, for tests.

    python serve.py BINARIES PORT FOLDER

Makes the cluster where there is none, and becomes the server. PostgreSQL does not run as root: there both are done as "nobody", to whom
the folder is given. Everybody on this machine may log in as "postgres".
"""

import os
import pwd
import subprocess
import sys

BINARIES, PORT, FOLDER = sys.argv[1:]
DATA = os.path.join(FOLDER, "data")


def program(name):
    return os.path.join(BINARIES, name)


if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.chown(FOLDER, nobody.pw_uid, nobody.pw_gid)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
os.chdir("/")
for path, how in ((program("postgres"), os.X_OK), (FOLDER, os.W_OK)):
    if not os.access(path, how):
        sys.exit(f"{path} is out of reach for the user {pwd.getpwuid(os.geteuid()).pw_name}, as whom PostgreSQL runs")
if not os.path.exists(os.path.join(DATA, "PG_VERSION")):
    subprocess.run([program("initdb"), "-D", DATA, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], check=True)
# What the system has taken outlives the process: a kill loses nothing of it.
settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
os.execv(program("postgres"), [program("postgres"), "-D", DATA, "-p", PORT, *options])
