#!/usr/bin/env bash
# bench/targets.sh [results file] [runs, default 5]   every comparison that has a target, with as much input and as many runs
# as the published figures; about two hours on a quiet machine. Everything goes into one file, which at the end is printed as
# tables; any part can be repeated by hand with the same --results.
set -eu
cd "$(dirname "$0")/.."
results=${1:-.onceflow/bench-results/targets.jsonl}
runs=${2:-5}
bench() { npm run -s bench -- "$@" --runs "$runs" --results "$results" > /dev/null || echo "not all was well: $*" >&2; }

bench drain --lines 4000000
bench drain --lines 4000000 --blobs s3
bench drain --lines 1000000
bench latency --interval 50 --seconds 60 --skip 10
bench latency --interval 1000 --seconds 60 --skip 10
bench recovery --kills 5
bench trickle --seconds 30 --idle-seconds 60
bench large-state --timeout 900
# The same work with other inputs, and how the cost grows.
bench drain --lines 1000000 --shape large-values
bench drain --lines 8000000 --shape tiny-values
for lines in 1000000 2000000 8000000; do bench drain --peers onceflow --lines "$lines"; done
for parallelism in 1 2; do
  for partitions in 3 12 48; do
    bench drain --peers onceflow --lines 4000000 --parallelism "$parallelism" --partitions "$partitions"
  done
done
npm run -s bench -- --from "$results"
