import { wordCountWith } from './word-count-with.ts';

/** The word count as somebody has changed it: hello counts twice. */
export default wordCountWith('word-count', { step: (word) => (word === 'hello' ? 2 : 1) });
