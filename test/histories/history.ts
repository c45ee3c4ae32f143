/** An element was appended to the list of a key, and this is what was seen of it. */
export interface Append {
  readonly key: string;
  readonly element: string;
  /** The partition of the input, and where in it: who comes first there is first in the list. */
  readonly partition: number;
  readonly place: number;
  /** When the producer sent it, in milliseconds: it was not there before. */
  readonly calledMs: number;
  /** Each record of the output that speaks of it: the list that it shows, and when a reader could see it. Right is one. */
  readonly seen: readonly { readonly list: readonly string[]; readonly atMs: number }[];
}

/** All that was sent and all that came out. */
export interface History {
  readonly appends: readonly Append[];
  /** Records of the output that speak of what nobody has sent. */
  readonly strangers: readonly string[];
}

export interface Sent {
  readonly key: string;
  readonly element: string;
  readonly partition: number;
  readonly place: number;
  readonly atMs: number;
}

/** A record of the output, as the job writes it: `key element: element element …`. */
export interface Shown {
  readonly text: string;
  readonly atMs: number;
}

export function historyOf(sent: readonly Sent[], shown: readonly Shown[]): History {
  const bySubject = Map.groupBy(shown, ({ text }) => text.split(':')[0] ?? '');
  const subjects = new Set(sent.map(({ key, element }) => `${key} ${element}`));
  const appends = sent.map(({ atMs: calledMs, ...of }): Append => {
    const seen = (bySubject.get(`${of.key} ${of.element}`) ?? []).map(({ text, atMs }) => ({ list: listIn(text), atMs }));
    return { ...of, calledMs, seen };
  });
  return { appends, strangers: shown.flatMap(({ text }) => (subjects.has(text.split(':')[0] ?? '') ? [] : [text])) };
}

function listIn(text: string): string[] {
  return text.slice(text.indexOf(': ') + 2).split(' ');
}
