import { ExchangeWriter } from '../format/exchange-writer.ts';
import type { JobDefinition, KeyByNode, SinkNode } from '../graph/job.ts';
import { exchangeTarget } from '../graph/stages.ts';
import { keyGroupOf, subtaskOf } from '../protocol/key-groups.ts';
import { type ChainEnds, type Push, refusePromise } from './chain.ts';
import type { CurrentRecord } from './current-record.ts';
import type { EpochOutput, StageContext } from './epoch-output.ts';
import { UserCodeError } from './errors.ts';
import { SinkEncoder } from './sink-encoder.ts';

/** The exchanges and sinks that a stage's chains end in. */
export class StageOutput implements ChainEnds {
  readonly #job: JobDefinition;
  readonly #context: StageContext;
  readonly #current: CurrentRecord;
  readonly #exchanges = new Map<string, ExchangeWriter>();
  readonly #sinks = new Map<string, SinkEncoder>();

  constructor(job: JobDefinition, context: StageContext, current: CurrentRecord) {
    this.#job = job;
    this.#context = context;
    this.#current = current;
  }

  exchange(node: KeyByNode, label: string): Push {
    const target = exchangeTarget(this.#job, node);
    const targets = this.#context.parallelism(target);
    const { maxParallelism } = this.#context;
    const targetOf = (hash: number) => subtaskOf(keyGroupOf(hash, maxParallelism), targets, maxParallelism);
    const writer = new ExchangeWriter({ key: node.key, value: node.value, targets, targetOf });
    this.#exchanges.set(target, writer);
    return keyingBy(label, node, writer, this.#current);
  }

  sink(node: SinkNode): Push {
    const encoder = new SinkEncoder(node, this.#context, this.#current);
    this.#sinks.set(node.uid, encoder);
    return encoder.append;
  }

  begin(): void {
    for (const writer of this.#exchanges.values()) writer.begin();
    for (const encoder of this.#sinks.values()) encoder.begin();
  }

  finish(recordsIn: number): EpochOutput {
    const exchanges = new Map([...this.#exchanges].map(([target, writer]) => [target, writer.finish()]));
    const staged = new Map([...this.#sinks].map(([uid, encoder]) => [uid, encoder.finish()]));
    let recordsOut = 0;
    for (const { rows } of this.#exchanges.values()) recordsOut += rows;
    for (const { records } of this.#sinks.values()) recordsOut += records;
    return { exchanges, staged, recordsIn, recordsOut };
  }
}

function keyingBy(label: string, { selector, key: serde }: KeyByNode, writer: ExchangeWriter, current: CurrentRecord): Push {
  return (value) => {
    try {
      const key = selector(value);
      if (typeof key === 'object') refusePromise(key);
      if (key === undefined)
        throw new TypeError(`the selector gave undefined for the key (serde ${serde.name}); filter values without a key out before keyBy`);
      writer.append(key, value, current.timestamp);
    } catch (cause) {
      throw new UserCodeError(label, cause);
    }
  };
}
