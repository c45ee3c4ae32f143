export const USAGE = `npm run bench -- [modes] [flags]

Runs the same exactly-once count on Onceflow and on others, in turn (A B B A A B …), on one broker and one
AWS emulator, which it starts and stops. Each run's output is checked record by record by a reader of Kafka's own. It prints
a table of medians with ratios and targets, and writes every run as a line of JSON. Without flags: a short run of a few
minutes, to see that everything works; see bench/README.md for the commands behind the published figures.

Modes (default: all but large-state)
  drain        preloaded lines: records a second between first and last commit, and from start; CPU seconds; memory
  latency      steady lines: p50, p90, p99 from the producer to a read_committed reader; CPU seconds
  recovery     kill -9 of all processes at once, start again: seconds until output of new input is visible
  trickle      one record, its result, the next record: epochs a second; then none: what an idle job writes
  large-state  many keys, then bursts that change some of them, against few keys: time of an epoch, restart, memory a key

Flags for every mode
  --peers LIST        onceflow, flink, kafka-streams, or name=path of another program (another checkout's bench/peer.sh)
                      (default: onceflow,flink; in trickle and large-state onceflow)
  --runs N            runs of each (default 1)
  --interval MS       checkpoint interval (default 1000; trickle 10, large-state 200)
  --partitions N      of each topic (default 3)
  --parallelism N     operator subtasks of Onceflow (default 1)
  --blobs file|s3     where Onceflow keeps its blobs (default file)
  --flink-parallelism N, --flink-heap SIZE, --flink-jvm "ARGS"     (default 2, 1g, none)
  --timeout SECONDS   for one run (default 300)

drain
  --lines N           lines of input, of 8 words on average (default 1000000)
  --shape SHAPE       words, large-values (1 KB, 64 keys) or tiny-values (a digit, a million keys) (default words)
latency, recovery, trickle
  --rate N            lines a second (default 2000)
  --seconds N         measured (default 15), after --skip N from the first output on (default 5)
  --kills N           in one run of recovery (default 2)
  --idle-seconds N    of trickle's idle part (default 10)
large-state
  --keys FEW,MANY     (default 100000,10000000)    --changed N    keys of a burst (default 10000)    --bursts N    (default 10)

Output
  --results FILE      where runs are added, one JSON object a line (default: a new file in .onceflow/bench-results)
  --from FILE         runs nothing: prints and draws what FILE holds
  --draw FILE         an SVG (default: beside the results)
  --cpu-prof FOLDER   CPU profiles of every Node process; slows them down, so not for figures
`;
