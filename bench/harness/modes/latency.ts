import { startProbe } from '../probe.ts';
import { startMeter } from '../processes.ts';
import { cpuBetween, type ModeOf, mustRun, pause, watchServers } from '../run.ts';

/** The load goes on for longer than any start takes; its input is ended when the time is over. */
const LONGEST_LOAD_SECONDS = 3_600;

/** How long a record is under way, from the producer to a read_committed reader, while lines come steadily. */
export const latencyMode: ModeOf = {
  peers: ['onceflow', 'flink'],
  intervalMs: 1_000,
  setting: ({ linesPerSecond, seconds, partitions, parallelism, blobs }) => ({ linesPerSecond, seconds, partitions, parallelism, blobs }),
  shape: () => 'words',
  async measure(run) {
    const { arena, options, input, output } = run;
    const program = await run.start();
    const meter = startMeter(program.session);
    try {
      const reader = startProbe(['read', arena.bootstrap, output]);
      await reader.next('the reader', ({ ready }) => ready === true);
      const load = startProbe(['steady', arena.bootstrap, input, 'words', 7, options.linesPerSecond, LONGEST_LOAD_SECONDS]);
      await reader.next('the first output', ({ records }) => Number(records) > 0);
      await pause(options.skipSeconds * 1000);
      // What piled up while the program started is not what is measured.
      const caughtUpMs = 2 * run.intervalMs + 500;
      await reader.next('output that is up to date', ({ at, newest }) => Number(at) - Number(newest) < caughtUpMs);
      mustRun(program);
      reader.ask('count');
      const servers = watchServers(arena);
      const before = meter.at(Date.now());
      await pause(options.seconds * 1000);
      const used = cpuBetween(before, meter.at(Date.now()));
      const loaded = await load.finish();
      const expected = Number(loaded['records']);
      if (Number(reader.said.at(-1)?.['records']) < expected)
        await reader.next('all output', ({ records }) => Number(records) >= expected, options.timeoutSeconds * 1000);
      const { p50 = 0, p90 = 0, p99 = 0, max = 0, counted = 0 } = await reader.finish();
      return {
        metrics: {
          p50Ms: Number(p50),
          p90Ms: Number(p90),
          p99Ms: Number(p99),
          maxMs: Number(max),
          cpuSeconds: used,
          peakMb: meter.peakMb(),
          ...servers(),
        },
        details: { counted, mostLateMs: loaded['mostLateMs'] },
      };
    } finally {
      meter.stop();
    }
  },
};
