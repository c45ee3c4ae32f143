import { wordCountWith } from './word-count-with.ts';

const MS_A_RECORD = 2;

/** The word count, whose function takes two milliseconds of the processor for each word. */
export default wordCountWith('slow-word-count', {
  before() {
    const endMs = performance.now() + MS_A_RECORD;
    while (performance.now() < endMs);
  },
});
