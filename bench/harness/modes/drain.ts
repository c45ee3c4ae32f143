import { startMeter } from '../processes.ts';
import { type ModeOf, memoryOf, untilCommitted, watchServers } from '../run.ts';

/** Commits so close to the first one belong to the same checkpoint: there is one for each sink subtask and partition. */
const WAVE_MS = 200;
/** Short against a drain of seconds. */
const LOOK_EVERY_MS = 50;

interface Commit {
  readonly atMs: number;
  readonly offsets: number;
}

/** How fast preloaded records are counted and committed. */
export function drainMode(records: number): ModeOf {
  return {
    peers: ['onceflow', 'flink'],
    intervalMs: 1_000,
    setting: ({ shape, lines, partitions, parallelism, blobs }) => ({ shape, lines, partitions, parallelism, blobs }),
    shape: ({ shape }) => shape,
    async measure(run) {
      const servers = watchServers(run.arena);
      const startedMs = Date.now();
      const program = await run.start();
      const meter = startMeter(program.session);
      const commits: Commit[] = [];
      // A control record behind each transaction counts as an offset, so the end is when nothing more is committed.
      const quietMs = 2 * run.intervalMs + 1_000;
      try {
        await untilCommitted(
          run,
          program,
          (offsets, atMs) => {
            const last = commits.at(-1);
            if (offsets !== (last?.offsets ?? 0)) commits.push({ atMs, offsets });
            return offsets >= records && atMs - (commits.at(-1)?.atMs ?? atMs) >= quietMs;
          },
          LOOK_EVERY_MS,
        );
        const [first, last] = [commits[0], commits.at(-1)];
        if (first === undefined || last === undefined) throw new Error('nothing was committed');
        const firstWave = commits.findLast(({ atMs }) => atMs - first.atMs <= WAVE_MS) ?? first;
        const used = meter.at(last.atMs);
        const seconds = (last.atMs - firstWave.atMs) / 1000;
        const wallSeconds = (last.atMs - startedMs) / 1000;
        return {
          metrics: {
            ...(seconds > 0 ? { recordsPerSecond: (records - firstWave.offsets) / seconds } : {}),
            recordsPerSecondFromStart: records / wallSeconds,
            firstCommitSeconds: (first.atMs - startedMs) / 1000,
            cpuSeconds: used.cpuSeconds,
            cpuMicrosecondsPerRecord: (used.cpuSeconds * 1e6) / records,
            peakMb: meter.peakMb(),
            atRestPssMb: memoryOf(program.session).pssMb,
            commitWaves: wavesIn(commits),
            longestWaveMs: longestBetween(commits),
            ...servers(),
          },
          details: { commits: commits.map(({ atMs, offsets }) => [atMs - startedMs, offsets]) },
        };
      } finally {
        meter.stop();
      }
    },
  };
}

function wavesIn(commits: readonly Commit[]): number {
  return commits.filter(({ atMs }, index) => atMs - (commits[index - 1]?.atMs ?? 0) > WAVE_MS).length;
}

/** The longest time between two commits: no epoch is longer. */
function longestBetween(commits: readonly Commit[]): number {
  return Math.max(0, ...commits.slice(1).map(({ atMs }, index) => atMs - (commits[index]?.atMs ?? atMs)));
}
