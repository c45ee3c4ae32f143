/** Text for benchmarks: words drawn from a vocabulary by Zipf's law (exponent 1), 6 to 10 in a line. */
export interface WordSource {
  /** Draws the next line. */
  line(): string;
  /** Words in the lines so far. */
  readonly words: number;
}

const VOCABULARY = 10_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** The same seed gives the same lines. */
export function zipfWords(seed: number): WordSource {
  const vocabulary = drawVocabulary(randomFractions(42));
  const cumulative = new Float64Array(VOCABULARY);
  let sum = 0;
  for (let rank = 0; rank < VOCABULARY; rank++) {
    sum += 1 / (rank + 1);
    cumulative[rank] = sum;
  }
  const fraction = randomFractions(seed);
  let words = 0;
  return {
    get words() {
      return words;
    },
    line() {
      const count = 6 + Math.floor(fraction() * 5);
      words += count;
      return Array.from({ length: count }, () => vocabulary[rankOf(cumulative, fraction() * sum)]).join(' ');
    },
  };
}

function drawVocabulary(fraction: () => number): string[] {
  const vocabulary = new Set<string>();
  while (vocabulary.size < VOCABULARY) {
    const length = 3 + Math.floor(fraction() * 7);
    vocabulary.add(Array.from({ length }, () => LETTERS[Math.floor(fraction() * LETTERS.length)]).join(''));
  }
  return [...vocabulary];
}

/** The first rank whose cumulative weight exceeds `weight`. */
function rankOf(cumulative: Float64Array, weight: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] as number) > weight) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Mulberry32: small, and good enough for text. */
function randomFractions(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
