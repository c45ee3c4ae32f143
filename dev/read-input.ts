import { systemClock } from '../host/system.ts';
import type { KafkaRequests } from '../lib/ports/kafka-requests.ts';
import { linesOf, sendLines } from './input.ts';

export interface Reading {
  /** What came in has come to its end. */
  hasEnded(): boolean;
  /** Every line was written, so far. */
  isWhole(): boolean;
  close(): void;
}

/** What comes in, and where it goes. */
export interface Incoming {
  readonly stdin: NodeJS.ReadStream;
  readonly kafka: KafkaRequests;
  readonly say: (line: string) => void;
}

/** Writes what comes in to the topic, from now to its end. @param topic undefined: there are several, and none is named */
export function readInput({ stdin, say, kafka }: Incoming, topic: string | undefined): Reading {
  let ended = false;
  let whole = true;
  let closing = false;
  const lines = linesOf(stdin, stdin.isTTY === true);
  const reading = topic === undefined ? refuseLines(lines, say) : sendLines({ kafka, clock: systemClock, topic, say }, lines);
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

async function refuseLines(lines: AsyncIterable<readonly string[]>, say: (line: string) => void): Promise<boolean> {
  let isWhole = true;
  for await (const _some of lines) {
    isWhole = false;
    say('what was typed is written nowhere: the job has several sources, and --input says which gets it');
  }
  return isWhole;
}
