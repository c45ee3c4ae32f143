import type { Readable } from 'node:stream';
import { systemClock } from '../host/system.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import { linesOf, type Route, sendLines } from './input.ts';

export interface Reading {
  /** What came in has come to its end. */
  hasEnded(): boolean;
  /** Every line was written, so far. */
  isWhole(): boolean;
  close(): void;
}

/** What comes in, and where it goes. */
export interface Incoming {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly kafka: KafkaRequests;
  readonly say: (line: string) => void;
}

/** Writes what comes in to where it goes, from now to its end. */
export function readInput({ stdin, say, kafka }: Incoming, route: Route): Reading {
  let ended = false;
  let whole = true;
  let closing = false;
  const lines = linesOf(stdin, stdin.isTTY === true);
  const reading = sendLines({ kafka, clock: systemClock, route, say }, lines);
  void reading
    .then((isWhole) => {
      whole = isWhole;
    })
    .catch((error: Error) => {
      whole = false;
      if (!closing) say(`nothing more is read: ${error.message}`);
    })
    .finally(() => {
      ended = true;
    });
  return {
    hasEnded: () => ended,
    isWhole: () => whole || !ended || closing,
    close() {
      closing = true;
    },
  };
}
