import { wordCountWith } from './word-count-with.ts';

const MS_A_RECORD = 2;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** The word count, whose function keeps its process for two milliseconds for each word; not the processor, which others need. */
export default wordCountWith('slow-word-count', {
  before() {
    Atomics.wait(nothing, 0, 0, MS_A_RECORD);
  },
});
