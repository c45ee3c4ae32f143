import { BROKERS, Partition } from './partition.ts';

/** The topics that are there, and what became of those that were. */
export class Topics {
  readonly topics = new Map<string, Partition[]>();
  readonly #nowMs: () => number;
  #logs = 0;
  readonly #ids = new Map<string, string>();
  readonly #deleted: Partition[] = [];
  #made = 0;
  /** When there was no such topic, which was there before: until when. */
  readonly #absences: { readonly topic: string; toMs: number }[] = [];
  readonly #changed = new Set<string>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  create(topic: string, partitions: number): void {
    const absence = this.#absences.find((one) => one.topic === topic && one.toMs === Number.POSITIVE_INFINITY);
    if (absence !== undefined) {
      absence.toMs = this.#nowMs();
      this.#changed.add(topic);
    }
    this.topics.set(topic, []);
    this.#ids.set(topic, `made-${++this.#made}`);
    for (let left = partitions; left > 0; left--) this.#add(topic, 0);
  }

  /** Of the one that is there now. */
  idOf(topic: string): string | undefined {
    return this.#ids.get(topic);
  }

  /** One more partition, of which some brokers have not heard for so long. */
  grow(topic: string, unheardMs = 0): void {
    this.#changed.add(topic);
    this.#add(topic, unheardMs);
  }

  /** With all that is in it. */
  delete(topic: string): void {
    const partitions = this.topics.get(topic) ?? [];
    for (const partition of partitions) partition.isDeleted = true;
    this.#deleted.push(...partitions);
    this.topics.delete(topic);
    this.#absences.push({ topic, toMs: Number.POSITIVE_INFINITY });
  }

  /** Whether its partitions became more, or others. */
  hasChanged(topic: string): boolean {
    return this.#changed.has(topic);
  }

  /** The logs of the topic that had this id, whether it is there still or not. */
  logsOf(topic: string, id: string | undefined): Partition[] {
    return this.everyLog().filter((log) => log.topic === topic && log.topicId === id);
  }

  /** Of every topic, also of those that were deleted: oldest first. */
  everyLog(): Partition[] {
    return [...this.#deleted, ...[...this.topics.values()].flat()];
  }

  /** Whether there was no such topic at some time since then. */
  wasAbsentSince(topic: string, sinceMs: number): boolean {
    return this.#absences.some((absence) => absence.topic === topic && absence.toMs >= sinceMs);
  }

  /** Whether the partition is not the first of its topic and number, or gone. */
  wasMadeAnew(topic: string, partition: number): boolean {
    return this.#deleted.some((log) => log.topic === topic && log.partition === partition);
  }

  #add(topic: string, unheardMs: number): void {
    const partitions = this.topics.get(topic) ?? [];
    const added = new Partition(this.#logs++, topic, partitions.length, partitions.length % BROKERS, this.#nowMs);
    added.topicId = this.#ids.get(topic) ?? '';
    added.heardOfMs = this.#nowMs() + unheardMs;
    partitions.push(added);
  }
}
