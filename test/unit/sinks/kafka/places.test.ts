import { expect, it } from 'vitest';
import { asCommittable } from '../../../../lib/sinks/kafka/committable.ts';
import { coordinateKafka, type KafkaClients } from '../../../../lib/sinks/kafka/coordination.ts';

const { placesIn } = coordinateKafka({} as KafkaClients, { transactionTimeoutMs: 1 });
const written = (topic: string, partition: number) => ({ topic, partition, first: 0, last: 9 });
const of = { sink: 'write', subtask: 0, epoch: 3, transactionalId: 'id', producerId: '7', producerEpoch: 4 };

/** Whoever ends what may be open in a job that is given up looks there. */
it('what a transaction has written to are its topics, each once, also that of a marker in place of evidence', () => {
  if (placesIn === undefined) throw new Error('it knows of none');
  expect(placesIn(asCommittable({ ...of, written: [written('out', 0), written('out', 1), written('copy', 0)] }))).toEqual(['out', 'copy']);
  expect(placesIn(asCommittable({ ...of, written: [], marker: { topic: 'out', startedAtMs: 1 } }))).toEqual(['out']);
});
