import type { ConsoleDeps } from '../../../console/server/deps.ts';
import type { EpochRow, EpochStore, JobRow } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { epochRowOf, jobRowOf, NOW } from '../cli/rows.ts';

/** What a console of the tests works on: a job of these rows, and brokers that are away. */
export function consoleDeps(
  of: { readonly row?: JobRow | undefined; readonly epochs?: readonly EpochRow[] } = { row: jobRowOf() },
  change: Partial<ConsoleDeps> = {},
): ConsoleDeps {
  const { row, epochs = [epochRowOf(9)] } = of;
  const store: Partial<EpochStore> = {
    readJob: async () => row,
    readEpoch: async (_job, _incarnation, epoch) => epochs.find((each) => each.epoch === epoch),
    listEpochs: async (_job, _incarnation, after) => epochs.filter(({ epoch }) => epoch > after),
    listSavepoints: async () => [],
  };
  return {
    job: 'word-count',
    table: 'onceflow',
    module: undefined,
    deadLetterTopic: undefined,
    epochs: store as EpochStore,
    clock: { now: () => NOW, elapsedMs: () => 0, sleep: () => new Promise(() => undefined) },
    random: { id: () => 'random', fraction: () => 0 },
    kafka: async () => {
      throw new KafkaProblem('NONE', 'no broker of 127.0.0.1:9 answers', true);
    },
    blobStore: async () => {
      throw new Error('no blob is read');
    },
    owners: async () => undefined,
    act: undefined,
    ...change,
  };
}
