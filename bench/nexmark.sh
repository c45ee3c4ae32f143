#!/usr/bin/env bash
# bench/nexmark.sh QUERY   a job of jobs/nexmark as a program of Nexmark's benchmark: environment BOOT IN OUT APP INTERVAL_MS, and
# RESTORE=auto when it is started again after a kill -9 of its process group (it always goes on from its last epoch).
# Reads IN from earliest; DISORDER_MS and SIDE are the job's to read. Needs `bench/stack start`. PAR=n runs n subtasks of every
# stage; all else as in bench/peer.sh, which it calls.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
query=${1:-}
if [ ! -f "$root/jobs/nexmark/$query.ts" ] || [[ ! $query =~ ^q[0-9]+$ ]]; then
  echo "usage: bench/nexmark.sh QUERY, one of:" $(cd "$root/jobs/nexmark" && ls q*.ts | sed 's/[.]ts$//' | sort -V) >&2
  exit 2
fi
export JOB="./jobs/nexmark/$query.ts" APP="${APP:-nexmark-$query}"
export ONCEFLOW_TOPICS="read-events=${IN:-nexmark},write-results=${OUT:-nexmark-$query}"
export ONCEFLOW_PARALLELISM="${PAR:-1}" ONCEFLOW_STAGE_PARALLELISM=
exec "$root/bench/peer.sh"
