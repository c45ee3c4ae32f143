import { committedOffsets, type Program } from '../arena.ts';
import { type Probe, startProbe } from '../probe.ts';
import { startMeter } from '../processes.ts';
import { type ModeOf, median, memoryOf, pause, type Run, untilCommitted } from '../run.ts';

const SEED = 7;
const WORDS_A_LINE = 8;
/** After the load: snapshots are written and compacted, garbage is collected. */
const REST_MS = 3_000;

/**
 * A state of many keys, then bursts that change some of them, each an epoch; then kill -9 and a start. `size` is which of
 * the two numbers of --keys it is.
 */
export function largeStateMode(size: 0 | 1): ModeOf {
  return {
    peers: ['onceflow'],
    intervalMs: 200,
    setting: ({ keys, changedKeys, bursts, partitions, parallelism, blobs }) => ({
      keys: keys[size],
      changedKeys,
      bursts,
      partitions,
      parallelism,
      blobs,
    }),
    shape: () => 'keys',
    async measure(run) {
      const { arena, options, input } = run;
      const keys = options.keys[size];
      const loaded = await startProbe(['load', arena.bootstrap, input, 'keys', SEED, Math.ceil(keys / WORDS_A_LINE)]).done;
      const startedMs = Date.now();
      let program = await run.start();
      const meter = startMeter(program.session);
      try {
        const fullMs = await untilCommitted(run, program, (offsets) => offsets >= Number(loaded['records']));
        await pause(REST_MS);
        const memory = memoryOf(program.session);
        const writer = startProbe(['bursts', arena.bootstrap, input, keys]);
        await writer.next('the writer of bursts', ({ ready }) => ready === true);
        const visibleMs: number[] = [];
        const firstBurstMs = Date.now();
        for (let burst = 0; burst < options.bursts; burst++) {
          visibleMs.push(await changeKeys(run, program, writer, options.changedKeys));
          await pause(run.intervalMs);
        }
        const epochs = epochTimes(program.log(), firstBurstMs);
        const peakMb = meter.peakMb();

        const killedMs = Date.now();
        await program.kill();
        const committed = await committedOffsets(arena.kafka, run.output);
        program = await run.start({ restore: true });
        writer.ask(String(WORDS_A_LINE));
        const backMs = await untilCommitted(run, program, (offsets) => offsets >= committed + WORDS_A_LINE);
        await writer.finish();
        return {
          metrics: {
            fillSeconds: (fullMs - startedMs) / 1000,
            burstVisibleMs: median(visibleMs),
            ...(epochs.length > 0 ? { epochMs: median(epochs) } : {}),
            restartSeconds: (backMs - killedMs) / 1000,
            restRssMb: memory.rssMb,
            restPssMb: memory.pssMb,
            peakMb,
          },
          details: { visibleMs, epochMs: epochs },
        };
      } finally {
        meter.stop();
      }
    },
  };
}

/** From the end of the burst's writing until its results are committed. */
async function changeKeys(run: Run, program: Program, writer: Probe, keys: number): Promise<number> {
  const before = await committedOffsets(run.arena.kafka, run.output);
  const sent = writer.next('a burst', ({ burst }) => burst !== undefined);
  writer.ask(String(keys));
  const sentMs = Number((await sent)['sent']);
  return (await untilCommitted(run, program, (offsets) => offsets >= before + keys)) - sentMs;
}

/** From plan to commit, of the epochs that had output; from the events in our own program's log. Other programs have none. */
function epochTimes(log: string, sinceMs: number): number[] {
  const planned = new Map<number, number>();
  const withOutput = new Set<number>();
  const times: number[] = [];
  for (const line of log.split('\n')) {
    const [, at, text] = /^(\S+Z) (\{.*\})$/.exec(line) ?? [];
    if (at === undefined || text === undefined) continue;
    const event = JSON.parse(text) as { event: string; epoch: number; recordsOut?: number };
    const atMs = Date.parse(at);
    if (event.event === 'planned') planned.set(event.epoch, atMs);
    if (event.event === 'decided' && Number(event.recordsOut) > 0) withOutput.add(event.epoch);
    const plannedMs = planned.get(event.epoch);
    if (event.event === 'committed' && plannedMs !== undefined && plannedMs >= sinceMs && withOutput.has(event.epoch))
      times.push(atMs - plannedMs);
  }
  return times;
}
