import { startProbe } from '../probe.ts';
import { type ModeOf, median, pause } from '../run.ts';

const LONGEST_LOAD_SECONDS = 3_600;
/** Between the first new output and the next kill: longer each time by a part of an interval, so that kills meet all phases of it. */
const SETTLE_MS = 4_000;
const PHASE_MS = 370;

/** kill -9 of all processes at once while lines come steadily, and a start: how long until new input has come out. */
export const recoveryMode: ModeOf = {
  peers: ['onceflow', 'flink'],
  intervalMs: 1_000,
  setting: ({ linesPerSecond, kills, partitions, parallelism, blobs }) => ({ linesPerSecond, kills, partitions, parallelism, blobs }),
  shape: () => 'words',
  async measure(run) {
    const { arena, options, input, output } = run;
    let program = await run.start();
    const reader = startProbe(['read', arena.bootstrap, output]);
    await reader.next('the reader', ({ ready }) => ready === true);
    const load = startProbe(['steady', arena.bootstrap, input, 'words', 7, options.linesPerSecond, LONGEST_LOAD_SECONDS]);
    await reader.next('the first output', ({ records }) => Number(records) > 0);
    const resumed: number[] = [];
    for (let kill = 0; kill < options.kills; kill++) {
      await pause(SETTLE_MS + kill * PHASE_MS);
      const killedMs = Date.now();
      const seen = reader.next('output of new input', ({ newest }) => Number(newest) > killedMs, options.timeoutSeconds * 1000);
      await program.kill();
      program = await run.start({ restore: true });
      resumed.push((Number((await seen)['at']) - killedMs) / 1000);
    }
    const { records: expected } = await load.finish();
    if (Number(reader.said.at(-1)?.['records']) < Number(expected))
      await reader.next('all output', ({ records }) => Number(records) >= Number(expected), options.timeoutSeconds * 1000);
    await reader.finish();
    return {
      metrics: { resumeSeconds: median(resumed), longestResumeSeconds: Math.max(...resumed) },
      details: { resumeSeconds: resumed },
    };
  },
};
