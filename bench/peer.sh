#!/usr/bin/env bash
# bench/peer.sh   the word count as a program of the peers' benchmark: environment BOOT IN OUT APP INTERVAL_MS, and
# RESTORE=auto when it is started again after a kill -9 of its process group (it always goes on from its last epoch).
# Reads IN from earliest. Needs `bench/stack start`. BLOBS=s3 keeps blobs in the emulator's S3 instead of a folder;
# PAR=n runs n operator subtasks; JOB=module runs another job with the same uids; CPU_PROF=folder has every process leave a
# CPU profile there when it ends in order; ONCEFLOW_… variables are handed through.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# As the functions' processes, so that a start, and a start after a kill, is not spent on compiling.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-${TMPDIR:-/tmp}/onceflow-compile-cache}"
profile=()
if [ -n "${CPU_PROF:-}" ]; then profile=(--cpu-prof "--cpu-prof-dir=$CPU_PROF"); fi
exec node_modules/node/bin/node --disable-warning=TimeoutNegativeWarning "${profile[@]}" bench/peer.ts
