import type { Serde } from '../../../../lib/format/serde.ts';
import type { ProcessNode, WindowNode } from '../../../../lib/graph/job.ts';
import type { NaiveWindows } from '../../../support/naive-windows.ts';
import type { WireRecord } from '../../models/wire.ts';
import type { OperatorState } from './keyed-state.ts';
import type { Row } from './rows.ts';

/** A committed record of a source topic. */
export interface InputRecord extends WireRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What was decided of an epoch, or left to chance and seen: all that the job's result hangs on. */
export interface Told {
  /**
   * By source uid, the records to process: in order of the source's subtasks, and of each in the order in which it was brought
   * them. A partition's own order is that of its offsets; how those of one subtask mix, nobody promises.
   */
  readonly input: ReadonlyMap<string, readonly InputRecord[]>;
  /** The subtask of a keyed operator that has the key. */
  readonly subtaskOf: (uid: string, key: Buffer) => number;
  readonly keyGroupOf: (key: Buffer) => number;
  /** How the keys of a keyed operator are written. */
  readonly keySerdeOf: (uid: string) => Serde<unknown>;
  /** By which time a keyed operator works. Undefined: the job does not use any. */
  readonly timeOf: (uid: string) => TimeTold | undefined;
  /** Did the row of that origin come late? @default by its time, and the watermark before */
  readonly isLate?: (uid: string, origin: string) => boolean;
}

/** Watermarks at the end of the epoch before and of this one, and the processing time of this one. */
export interface TimeTold {
  readonly beforeMs: number | undefined;
  readonly afterMs: number | undefined;
  readonly processingMs: number;
}

/** Where the records of a sink belong. */
export type Belongs =
  /** In this partition: the author's own word. */
  | { readonly by: 'partition'; readonly partition: number }
  /**
   * Where its hash says. `stream`: those of one stream key lie together, in the order in which they were made; undefined: made by
   * a source, whose records have no order that is promised.
   */
  | { readonly by: 'key'; readonly hash: number; readonly stream: string | undefined }
  /** Anywhere. */
  | { readonly by: 'nothing' };

/** A record that a sink is to write. */
export interface Written {
  readonly text: string;
  /** Where to; '' if it is no topic. */
  readonly topic: string;
  readonly belongs: Belongs;
}

/** The epoch that is interpreted: what was told, the state, and what the sinks were given so far. */
export interface Epoch {
  readonly told: Told;
  readonly stateOf: (node: ProcessNode) => OperatorState;
  /** Without states, if nothing is broadcast to it. */
  readonly broadcastStateOf: (node: ProcessNode) => OperatorState;
  readonly windowsOf: (node: WindowNode) => NaiveWindows;
  /** By operator's node and tag: what it gave aside. */
  readonly aside: Map<string, Row[]>;
  /** By sink uid. */
  readonly written: Map<string, readonly Written[]>;
}

/** What an operator gives aside under a tag. */
export function giveAside({ aside }: Epoch, { id }: ProcessNode | WindowNode, tag: string, row: Row): void {
  const name = `${id} ${tag}`;
  aside.set(name, [...(aside.get(name) ?? []), row]);
}
