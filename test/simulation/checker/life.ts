import type { Committable } from '../../../lib/protocol/committable.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { Partition } from '../models/partition.ts';

export interface DecidedEpoch {
  readonly manifest: Manifest;
  readonly text: string;
  /** Where it is, if it is too large for a row. */
  readonly blob: string | undefined;
  /** By sink and subtask, then topic and partition: the values in order. */
  readonly staged: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

/** One incarnation of the job: it begins anew, from its starting offsets, without state. */
export class Life {
  readonly incarnation: string;
  /** The job was deleted, and nothing of this incarnation may become visible any more. */
  over = false;
  readonly decided: DecidedEpoch[] = [];
  /** By sink, subtask, epoch, topic and partition: where it is. */
  readonly committed = new Map<string, { readonly log: Partition; readonly last: number }>();
  /** By log, then sink and subtask. */
  readonly lastCommitted = new Map<Partition, Map<string, number>>();
  /** By sink, subtask and epoch: the transactions of its decision, and behind them what took their place. */
  readonly transactions = new Map<string, Committable[]>();
  /** By sink, subtask, epoch, topic and partition: what somebody's word about missing evidence may have given up, or doubled. */
  readonly excused = new Set<string>();
  /** What was sent outside a transaction: topic, partition and value. */
  readonly sent = new Set<string>();
  /** By counter uid: the fold of the input through the last decided epoch. */
  readonly fold = new Map<string, Map<string, number>>();
  /** By sink uid. */
  readonly written = new Map<string, Map<string, number>>();

  constructor(incarnation: string) {
    this.incarnation = incarnation;
  }

  /** Of an epoch that was decided at least once: staged output that was not sent. */
  unsent({ manifest, staged }: DecidedEpoch): string[] {
    if (manifest.delivery !== 'at-least-once') return [];
    return [...staged.values()].flatMap((places) =>
      [...places].flatMap(([place, values]) => values.filter((value) => !this.sent.has(`${place} ${value}`))),
    );
  }

  /** Of an epoch that was decided exactly once: where its staged output is not committed. */
  uncommittedOf({ manifest, staged }: DecidedEpoch): { readonly where: string; readonly place: string }[] {
    if (manifest.delivery === 'at-least-once') return [];
    return [...staged].flatMap(([where, places]) =>
      [...places]
        .filter(([place, values]) => values.length > 0 && !this.committed.has(`${where} ${manifest.epoch} ${place}`))
        .map(([place]) => ({ where, place })),
    );
  }

  /** The epoch that was decided at least once and has staged this value there. No value is staged twice. */
  stagedBy(place: string, value: string): { readonly where: string; readonly epoch: number } | undefined {
    for (const { manifest, staged } of this.decided) {
      if (manifest.delivery !== 'at-least-once') continue;
      for (const [where, places] of staged) if (places.get(place)?.includes(value) === true) return { where, epoch: manifest.epoch };
    }
    return undefined;
  }
}

/** Where a committable or a sink's staged output is from. */
export function whereOf({ sink, subtask }: Pick<Committable, 'sink' | 'subtask'>): string {
  return `${sink} ${subtask}`;
}
