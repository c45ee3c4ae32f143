import type { SentAgain } from '../../ports/epoch-store.ts';
import type { Committable } from '../../protocol/committable.ts';
import { isOfOneSubtask, parseCommittables } from '../../protocol/committable.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { Blobs } from '../../storage/blobs.ts';
import type { CommitSettings, CoordinatorDeps } from '../coordinator/context.ts';
import { untilAnswered } from '../coordinator/store-retry.ts';
import { type Held, writeHeld } from '../lease/held.ts';

/** The newest committables of a decided epoch: those of its manifest, or what took their place when it was sent again. */
export interface NewestCommittables {
  of(sink: string, connector: string): readonly Committable[];
  /**
   * Records committables that take the place of others, before anything of them is committed: whoever comes next judges by
   * them. Throws `SupersededError`; what was sent again must then be aborted.
   */
  record(sentAgain: readonly Committable[]): Promise<void>;
}

/** In the job row up to this size, which is well below what a row takes; more goes to a blob. */
const ROW_LIST_BYTES = 100_000;

/** `recorded`: what the job row says, undefined when this process decided the epoch itself. */
export async function newestCommittables(
  held: Held<Pick<CommitSettings, 'job'>>,
  manifest: Manifest,
  recorded: SentAgain | undefined,
): Promise<NewestCommittables> {
  const { deps, settings, signal } = held;
  const own = recorded?.decisionId === manifest.decisionId ? recorded : undefined;
  const readOwn = async () => (own === undefined ? [] : sentAgainIn(deps.blobs, own));
  let replaced = await untilAnswered(deps, 'reading what was sent again', readOwn, signal);
  let seen = own?.id;
  let recording: Promise<void> = Promise.resolve();

  async function recordNow(sentAgain: readonly Committable[]): Promise<void> {
    const list = [...replaced.filter((old) => !sentAgain.some((one) => isOfOneSubtask(one, old))), ...sentAgain];
    const next: SentAgain = {
      decisionId: manifest.decisionId,
      id: deps.random.id(),
      committables: await store(deps, manifest, list, signal),
    };
    const what = `recording what of epoch ${manifest.epoch} was sent again`;
    await writeHeld(held, what, (generation) => deps.epochs.recordSentAgain(settings.job, generation, next, seen));
    replaced = list;
    seen = next.id;
  }

  return {
    of: (sink, connector) =>
      manifest.committables
        .filter((committable) => committable.sink === sink && committable.connector === connector)
        .map((committable) => replaced.find((one) => isOfOneSubtask(one, committable)) ?? committable),
    // One after the other: each replaces what it saw.
    record(sentAgain) {
      recording = recording.then(() => recordNow(sentAgain));
      return recording;
    },
  };
}

/** The committables that took the place of others. */
export async function sentAgainIn(blobs: Pick<Blobs, 'read'>, { committables }: SentAgain): Promise<readonly Committable[]> {
  if (committables.at === 'row') return committables.list;
  const { name } = committables;
  const payload = await blobs.read('manifest', { at: 'store', name, bytes: 0 });
  return parseCommittables(JSON.parse(payload.toString('utf8')), `blob ${name}`);
}

async function store(
  deps: CoordinatorDeps,
  manifest: Manifest,
  list: readonly Committable[],
  signal: AbortSignal,
): Promise<SentAgain['committables']> {
  const text = JSON.stringify(list);
  if (Buffer.byteLength(text) <= ROW_LIST_BYTES) return { at: 'row', list };
  // Named after the next epoch: a collection keeps what is of later epochs than the last, and when that one is decided this
  // one is COMMITTED.
  const place = { job: manifest.job, incarnation: manifest.incarnation, stage: 'sent-again', subtask: 0, epoch: manifest.epoch + 1 };
  const write = () => deps.blobs.write(place, 'manifest', 'manifest', [Buffer.from(text)], 0);
  const ref = await untilAnswered(deps, `storing what of epoch ${manifest.epoch} was sent again`, write, signal);
  if (ref.at !== 'store') throw new Error('this blob is never inline');
  return { at: 'blob', name: ref.name };
}
