import type { Call } from './kernel/faults.ts';
import { changeTopic, type TopicChange } from './models/topic-changes.ts';
import type { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

type Options = Pick<
  WorldOptions,
  'leaderless' | 'strangers' | 'filesDeniedAtMs' | 'expireAtMs' | 'topicChanges' | 'topicChangeAt' | 'endsUploadAt'
>;

/** What happens to the broker, its topics and uploads of files while the job runs, at its time or when a certain call is made. */
export class BrokerFaults {
  /** How often each happened. */
  readonly counts: Record<string, number> = {};
  /** A leader went or moved, or a topic was changed. */
  hasDisturbed = false;
  readonly #world: World;
  readonly #options: Options;

  constructor(world: World, options: Options) {
    this.#world = world;
    this.#options = options;
  }

  schedule(): void {
    const { scheduler, broker } = this.#world;
    const { leaderless = [], strangers = [], expireAtMs = [], topicChanges = [], filesDeniedAtMs = [] } = this.#options;
    for (const { atMs, topic, partition, forMs } of leaderless)
      scheduler.at(atMs, undefined, () => {
        const found = broker.partition(topic, partition);
        if (found === undefined || found.leaderless) return;
        this.#happened('partition without a leader for a while', `${topic}-${partition} has no leader for ${Math.round(forMs)} ms`);
        this.hasDisturbed = true;
        found.loseLeader((run) => void scheduler.after(forMs, undefined, run));
      });
    for (const batch of strangers)
      scheduler.at(batch.atMs, undefined, () => {
        if (broker.partition(batch.topic ?? '', batch.partition) === undefined) return;
        this.count("transaction of another producer in a sink's topic");
        this.#world.append(batch);
      });
    for (const atMs of expireAtMs)
      scheduler.at(atMs, undefined, () => {
        this.#happened('transactional ids and producers expired', 'forgets who has nothing open');
        broker.expireProducers();
      });
    for (const atMs of filesDeniedAtMs)
      scheduler.at(atMs, undefined, () => {
        this.#happened('right to write files taken away', 'the right to write files is taken away');
        this.#world.targets.uploads.isDenied = true;
      });
    for (const { atMs, change } of topicChanges) scheduler.at(atMs, undefined, () => this.#change(change));
  }

  /** At a call, before anything else befalls it. */
  meet(call: Call): void {
    const change = this.#options.topicChangeAt?.(call);
    if (change !== undefined) this.#change(change);
    if (call.api === 'completeUpload' && this.#options.endsUploadAt?.(call) === true) this.#endUploads(call.about);
  }

  /** In the end. */
  countStranded(): void {
    for (const _one of this.#world.broker.stranded()) this.count('transaction left open that no client can end');
  }

  #change(change: TopicChange): void {
    const { broker, scheduler } = this.#world;
    const happened = changeTopic(broker, change, (delayMs, run) => void scheduler.after(delayMs, undefined, run));
    if (happened === undefined) return;
    this.hasDisturbed = true;
    this.#happened(happened.name, happened.text);
  }

  #endUploads(file: string): void {
    const { uploads } = this.#world.targets;
    for (const { key, upload } of uploads.open) {
      if (key !== file) continue;
      this.count('upload ended before it was completed');
      this.#world.log('somebody', `ends the upload of ${key}`);
      uploads.abort(upload);
    }
  }

  #happened(what: string, text: string): void {
    this.count(what);
    this.#world.log('broker', text);
  }

  /** That something happened. */
  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
