import { expect, it } from 'vitest';
import { newWordCount } from '../../support/word-count-run.ts';

/** The least that there can be. */
const BOUND_BYTES = 1_048_576;
/** A word takes 131 bytes: all of them five times the bound. */
const WORDS = 40_000;
const WORDS_OF_A_LINE = 50;

it('ONCEFLOW_STATE_MEMORY_BYTES: state of five times its bound is exact, also when the process that holds it is killed', async () => {
  const count = await newWordCount({ env: { ONCEFLOW_STATE_MEMORY_BYTES: `${BOUND_BYTES}`, ONCEFLOW_PARALLELISM: '1' } });
  const run = count.job.start({}, 'each');
  await count.write(linesOf((index) => index));
  await count.allCounted(run);
  // Words that are on disk by now, and in an order that no page has.
  await count.write(linesOf((index) => (index * 7_919) % WORDS).slice(0, 200));
  await count.allCounted(run);
  process.kill(await run.pid('operator'), 'SIGKILL');
  await run.until('the crash of the operator', () => run.crashes.length > 0 || undefined);
  await count.write(linesOf((index) => (index * 104_729) % WORDS).slice(0, 200));
  await count.expectExact(run);
  expect(run.crashes.length).toBe(1);
});

/** All words, each once. */
function linesOf(word: (index: number) => number): string[] {
  const words = Array.from({ length: WORDS }, (_, index) => `word${word(index)}`);
  return Array.from({ length: WORDS / WORDS_OF_A_LINE }, (_, line) =>
    words.slice(line * WORDS_OF_A_LINE, (line + 1) * WORDS_OF_A_LINE).join(' '),
  );
}
