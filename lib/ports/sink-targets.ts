import type { ItemTables } from './item-tables.ts';
import type { UploadStore } from './uploads.ts';

/** What sinks write to besides topics. Each is opened when it is first asked for. */
export interface SinkTargets {
  /** @param location `file:///folder`, `s3://bucket` or `s3://bucket/prefix` */
  uploads(location: string): Promise<UploadStore>;
  items(): Promise<ItemTables>;
}
