import type { Committable } from '../../../lib/protocol/committable.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { KafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import type { Partition } from '../models/partition.ts';
import type { InputRecord, Told, Written } from './interpreter/epoch.ts';
import type { Interpreter } from './interpreter/interpreter.ts';
import { missingOf } from './missing.ts';
import type { Times } from './times.ts';

export interface DecidedEpoch {
  readonly manifest: Manifest;
  readonly text: string;
  /** Where it is, if it is too large for a row. */
  readonly blob: string | undefined;
  /** By sink and subtask, then topic and partition: the records' texts in order. */
  readonly staged: Staged;
  /** By sink and subtask, what is staged for other places than topics. */
  readonly elsewhere: ReadonlyMap<string, StagedElsewhere>;
  /** By sink uid: what the job makes of its input. */
  written: ReadonlyMap<string, readonly Written[]>;
}

/** In batches for a function, or rows for files. */
export interface StagedElsewhere {
  readonly batches?: readonly (readonly string[])[];
  readonly rows?: readonly string[];
}

export type Staged = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** What an epoch was made of, and how far time had come by it: enough to make its outcome anew. */
export interface Step {
  readonly epoch: number;
  readonly told: Told;
  readonly times: Times;
}

/** One incarnation of the job: it begins anew, from its starting offsets, without state; or from an epoch of another one. */
export class Life {
  readonly incarnation: string;
  /** Has been given the input through the last decided epoch. */
  readonly interpreter: Interpreter;
  /** Has been given the same. Undefined: the job is not said in plain words. */
  readonly plain: Interpreter | undefined;
  /** Has been given the same. */
  readonly times: Times;
  /** Of all decided epochs that it goes back to, those of incarnations before included. */
  readonly steps: Step[] = [];
  /** Epochs of incarnations before that it goes back to. */
  readonly before: DecidedEpoch[] = [];
  /** By source uid, all that was processed. */
  readonly input = new Map<string, InputRecord[]>();
  /** By operator uid and origin: what came late to operators that work in order of time. */
  readonly late = new Set<string>();
  /** The job was deleted, and nothing of this incarnation may become visible any more. */
  over = false;
  readonly decided: DecidedEpoch[] = [];
  /** By sink, subtask, epoch, topic and partition: where it is. */
  readonly committed = new Map<string, { readonly log: Partition; readonly last: number }>();
  /** By log, then sink and subtask. */
  readonly lastCommitted = new Map<Partition, Map<string, number>>();
  /** By sink, subtask and epoch: the transactions of its decision, and behind them what took their place. */
  readonly transactions = new Map<string, KafkaCommittable[]>();
  /** By sink, subtask, epoch, topic and partition: what somebody's word about missing evidence may have given up, or doubled. */
  readonly excused = new Set<string>();
  /** By sink, subtask, epoch and batch: what was delivered. */
  readonly taken = new Set<string>();
  /** By sink, subtask and epoch: the rows in files that have appeared. */
  readonly appeared = new Map<string, string[]>();
  /** What was sent outside a transaction: topic, partition and the record's text. */
  readonly sent = new Set<string>();
  readonly #allSent = new Set<number>();

  constructor(incarnation: string, { interpreter, plain, times }: Pick<Life, 'interpreter' | 'plain' | 'times'>) {
    this.incarnation = incarnation;
    this.interpreter = interpreter;
    this.plain = plain;
    this.times = times;
  }

  epoch(epoch: number): DecidedEpoch | undefined {
    return this.decided.find(({ manifest }) => manifest.epoch === epoch);
  }

  /** Of an epoch that was decided at least once: staged output that was not sent. */
  unsent({ manifest, staged }: DecidedEpoch): string[] {
    if (!isSentPlain(manifest) || this.#allSent.has(manifest.epoch)) return [];
    const left = [...staged.values()].flatMap((places) =>
      [...places].flatMap(([place, texts]) => texts.filter((text) => !this.sent.has(`${place} ${text}`))),
    );
    if (left.length === 0) this.#allSent.add(manifest.epoch);
    return left;
  }

  /** Of an epoch that was decided exactly once: where its staged output is not committed. */
  uncommittedOf({ manifest, staged }: DecidedEpoch): { readonly where: string; readonly place: string }[] {
    if (isSentPlain(manifest)) return [];
    return [...staged].flatMap(([where, places]) =>
      [...places]
        .filter(([place, texts]) => texts.length > 0 && !this.committed.has(`${where} ${manifest.epoch} ${place}`))
        .map(([place]) => ({ where, place })),
    );
  }

  /** What of an epoch is not where it belongs, outside of Kafka. */
  missing(decided: DecidedEpoch): string[] {
    return missingOf(this, decided);
  }

  /** The epoch that was decided at least once and has staged this record there. No record is staged twice. */
  stagedBy(place: string, text: string): { readonly where: string; readonly epoch: number } | undefined {
    for (const { manifest, staged } of this.decided) {
      if (!isSentPlain(manifest)) continue;
      for (const [where, places] of staged) if (places.get(place)?.includes(text) === true) return { where, epoch: manifest.epoch };
    }
    return undefined;
  }
}

/** Was it decided to be sent, outside of any transaction? One guarantee holds for all sinks of a run. */
export function isSentPlain({ committables }: Pick<Manifest, 'committables'>): boolean {
  return committables.some(({ connector }) => connector === 'write-ahead');
}

/** Where a committable or a sink's staged output is from. */
export function whereOf({ sink, subtask }: Pick<Committable, 'sink' | 'subtask'>): string {
  return `${sink} ${subtask}`;
}

/** The sink of a place that `whereOf` names. */
export function sinkOf(where: string): string {
  return where.slice(0, where.lastIndexOf(' '));
}
