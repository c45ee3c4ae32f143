import { waitAMillisecond } from './wait-a-millisecond.ts';
import { wordCountWith } from './word-count-with.ts';

/** The word count, whose function waits for each word and takes no processor. */
export default wordCountWith('waiting-word-count', { before: waitAMillisecond });
