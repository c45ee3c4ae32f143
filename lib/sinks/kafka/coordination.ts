import { type Budget, checkBudget } from '../../config/budget.ts';
import { clusterOf } from '../../config/clusters.ts';
import { kindOf } from '../../ports/broker-answers.ts';
import type { Timing } from '../../ports/clock.ts';
import { KafkaProblem, type KafkaRequests } from '../../ports/kafka-requests.ts';
import { retriedAnswer } from '../../ports/retry.ts';
import type { StageFailed } from '../../protocol/answers.ts';
import type { PoolScope, PreparedCoordination, SettleOutcome, SinkEvent, Until } from '../connector.ts';
import { mendOf } from './answers.ts';
import { checkPrepared } from './check-prepared.ts';
import { CONNECTOR, type KafkaCommittable, kafkaCommittable } from './committable.ts';
import { compactedTopics } from './compacted-topics.ts';
import { type CommitTerms, factsOfTopics, type PrepareTerms } from './facts.ts';
import { scopesByCluster, transactionalIds } from './ids.ts';
import { maxTransactionTimeoutMs, sayHanging } from './say-hanging.ts';
import { type SettleOutcome as Settled, settleTransactions } from './settle.ts';
import { learnTopics, topicsOf } from './topics.ts';
import { watchOpen } from './watch-open.ts';

/** What Kafka's connectors work with where the coordinator is. */
export type KafkaClients = Timing & { readonly kafka: KafkaRequests };

/** The half where the coordinator is. */
export function coordinateKafka(clients: KafkaClients, settings: Pick<Budget, 'transactionTimeoutMs'>): PreparedCoordination {
  const { kafka, clock, random } = clients;
  const { transactionTimeoutMs } = settings;
  return {
    how: 'prepared',
    connector: CONNECTOR,
    poolOf: CONNECTOR,
    async refusalOf(times, sinks) {
      for (const cluster of new Set(sinks.flatMap(topicsOf).map(clusterOf))) {
        const verdict = checkBudget({ ...times, transactionTimeoutMs }, await maxTransactionTimeoutMs(kafka, cluster));
        if (!verdict.ok) return cluster === '' ? verdict.refused : `cluster ${cluster}: ${verdict.refused}`;
      }
      return undefined;
    },
    learn: (sinks) => learnTopics(kafka, sinks),
    placesOf: (target) => topicsOf({ target }),
    placesIn: (committable) => topicsIn(kafkaCommittable(committable)),
    prepareTerms: (target): PrepareTerms => ({ topics: topicsOf({ target }), transactionTimeoutMs }),
    async commitTerms(committables, facts): Promise<CommitTerms> {
      const known = new Map(factsOfTopics(facts).map(({ topic, compacted }) => [topic, compacted] as const));
      const topics = committables.flatMap((of) => kafkaCommittable(of).written.map(({ topic }) => topic));
      return { compacted: await compactedTopics(kafka, topics, known), transactionTimeoutMs };
    },
    async problemOf({ deadlineMs }, prepared) {
      const byCluster = Map.groupBy(prepared.map(kafkaCommittable), ({ transactionalId }) => clusterOf(transactionalId));
      const problems = await Promise.all([...byCluster.values()].map((own) => problemOf({ ...clients, deadlineMs }, own)));
      return problems.find((problem) => problem !== undefined);
    },
    namesOf: (committable) => ({ transactionalId: kafkaCommittable(committable).transactionalId }),
    async settle({ deadlineMs }, pool, tell) {
      const asking = { kafka, clock, random, deadlineMs };
      const scopes = scopesByCluster(pool);
      const settled = await Promise.all(
        scopes.map(([cluster, scope]) => settlePool(asking, { transactionTimeoutMs, cluster }, scope, tell)),
      );
      const failed = settled.find(({ outcome }) => outcome === 'failed');
      const ends = settled.reduce((sum, each) => sum + (each.outcome === 'settled' ? each.ends : 0), 0);
      return failed ?? { outcome: 'settled', ends };
    },
    watch(pool) {
      const watches = scopesByCluster(pool).map(([cluster, scope]) => watchOpen(clients, cluster, idsOf(scope), topicsOfPool(scope.sinks)));
      return {
        async look(tell) {
          // Each looks, whatever another has found.
          const found = await Promise.all(watches.map((watch) => watch.look(tell)));
          return found.includes(true);
        },
      };
    },
  };
}

export function topicsIn({ written, marker }: KafkaCommittable): string[] {
  return [...new Set([...written, ...(marker === undefined ? [] : [marker])].map(({ topic }) => topic))];
}

function topicsOfPool(sinks: PoolScope['sinks']): string[] {
  return [...new Set(Object.values(sinks).flatMap(({ places }) => places))];
}

/** What else is open under the ids of what was prepared will be aborted with it. */
async function problemOf(asking: Until & KafkaClients, prepared: readonly KafkaCommittable[]): Promise<StageFailed | undefined> {
  if (prepared.length === 0) return undefined;
  const check = await checkPrepared(asking, prepared);
  if (check.outcome === 'sound') return undefined;
  if (check.outcome === 'unknown') {
    const { topic, answer } = check;
    const isRefused = kindOf(answer) === 'refused';
    const mend = isRefused ? `: ${mendOf(answer, topic)}` : '';
    return {
      outcome: 'failed',
      kind: isRefused ? 'refused' : 'transient',
      message: `DescribeProducers of topic ${topic} was answered ${answer}${mend}`,
    };
  }
  await Promise.all(check.leftOpen.map(({ of, partitions }) => retriedAnswer(asking, () => asking.kafka.addPartitions(of, partitions))));
  return { outcome: 'failed', kind: 'transient', message: check.message };
}

function idsOf(scope: PoolScope): string[] {
  return Object.entries(scope.sinks).flatMap(([sink, { subtasks, places }]) => transactionalIds(scope, sink, subtasks, places));
}

/** @param scope what is of one cluster */
async function settlePool(
  asking: Until & KafkaClients,
  { transactionTimeoutMs, cluster }: { readonly transactionTimeoutMs: number; readonly cluster: string },
  scope: PoolScope,
  tell: (event: SinkEvent) => void,
): Promise<SettleOutcome> {
  const ids = Object.entries(scope.sinks).flatMap(([sink, { subtasks, places }]) =>
    transactionalIds(scope, sink, subtasks, places).map((transactionalId) => ({ transactionalId, topics: places })),
  );
  const { inUse } = scope;
  const isFormer = (topic: string) => inUse !== undefined && !inUse.includes(topic);
  const beganMs = asking.clock.elapsedMs();
  const settled = await answered(settleTransactions(asking, transactionTimeoutMs, ids, isFormer));
  const places = topicsOfPool(scope.sinks);
  if (settled.outcome === 'failed') {
    if (places.length === 0 || !places.every(isFormer)) return settled;
    tell({ event: 'warning', message: barredText(places, settled.message) });
    return { outcome: 'settled', ends: 0 };
  }
  for (const { topic, answer } of settled.barred)
    tell({ event: 'warning', message: barredText([topic], `${answer}: ${mendOf(answer, topic)}`) });
  if (settled.unasked.length > 0) tell({ event: 'warning', message: unaskedText(settled.unasked, asking.deadlineMs - beganMs) });
  await sayHanging({ ...asking, cluster, tell }, settled.others);
  return { outcome: 'settled', ends: ids.length };
}

/** A cluster that nobody knows here any more, or that refuses the login, is an answer. */
async function answered(settling: Promise<Settled>): Promise<Settled> {
  try {
    return await settling;
  } catch (error) {
    if (!(error instanceof KafkaProblem)) throw error;
    return { outcome: 'failed', retriable: error.retriable, message: error.message };
  }
}

/** The job wrote there once, and nothing decided waits there: nobody is stopped for it, nor waits. What is found there later is ended (watch-open.ts). */
function barredText(places: readonly string[], why: string): string {
  return `what the job may have left open in ${places.join(', ')}, where it does not write any more, is ended by its timeout: ${why}`;
}

function unaskedText(unasked: readonly { readonly topic: string; readonly partition: number }[], patienceMs: number): string {
  const places = unasked.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  return `without a leader for ${Math.round(patienceMs / 1000)} s: ${places}; what an earlier attempt may have left open there is ended at the next start or stop, when an epoch writes there, or after two looks of the job that runs`;
}
