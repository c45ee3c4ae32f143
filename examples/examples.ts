export interface Example {
  /** Its file is `examples/NAME.ts`, its input `examples/input/NAME.txt`. */
  readonly name: string;
  readonly shows: string;
  /** So long its last results take to come when all that came in is committed. @default they come with it */
  readonly staysMs?: number;
}

/** What `npm run example` knows. */
export const examples: readonly Example[] = [
  { name: 'word-count', shows: 'how often there was each word' },
  { name: 'revenue', shows: 'revenue per minute, with orders that come late' },
  { name: 'fraud', shows: 'payments checked by rules that are broadcast' },
  { name: 'sessions', shows: 'what visitors looked at in one go' },
  { name: 'orders-payments', shows: 'orders joined with what was paid for them' },
  { name: 'exchange-rate', shows: 'orders at the exchange rate that held at their time' },
  { name: 'changes', shows: 'a change stream without what was sent again' },
  { name: 'top-words', shows: 'the ten most frequent words of the last minute' },
  { name: 'silence', shows: 'an alert when nothing came for ten seconds', staysMs: 12_000 },
];
