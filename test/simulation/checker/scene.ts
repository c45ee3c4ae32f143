import type { BlobBucket } from '../models/blob-bucket.ts';
import type { EpochTable } from '../models/epoch-table.ts';
import type { Broker } from '../models/kafka-broker.ts';
import type { SimJob } from '../sim-job.ts';
import type { Life } from './life.ts';

/** The invariants of docs/invariants.md. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12' | 'I13' | 'I14';

/** What every check looks at, and whom it tells. */
export interface Scene {
  readonly job: SimJob;
  readonly broker: Broker;
  readonly table: EpochTable;
  readonly bucket: BlobBucket;
  /** Of every operator. */
  readonly maxParallelism: number;
  /** In the order in which they began. */
  readonly lives: Life[];
  readonly fail: (invariant: Invariant, message: string) => void;
}

/** The last incarnation in which something was decided. */
export function presentLife({ lives }: Scene): Life | undefined {
  return lives.at(-1);
}

export function lifeOf({ lives }: Scene, incarnation: string): Life | undefined {
  return lives.find((life) => life.incarnation === incarnation);
}
