/** The candidate that takes the fewest single-character edits to become `word`; the first of several. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = editDistance(word, candidate);
    if (edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** What `word` is likely to be a misspelling of: the nearest, if no more than a third of it is wrong. */
export function misspelt(word: string, candidates: readonly string[]): string | undefined {
  const best = nearest(word, candidates);
  return best !== undefined && editDistance(word, best) * 3 <= Math.max(word.length, 3) ? best : undefined;
}

/** Levenshtein's distance, by rows: `row[j]` = edits from the part of `from` seen so far to the first j characters of `to`. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, character] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (character === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
