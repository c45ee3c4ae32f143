import { inCluster } from '../../config/clusters.ts';
import { rightsMissing } from '../../ports/broker-answers.ts';
import type { KafkaClient } from '../../ports/kafka-checks.ts';
import type { ProducerIdentity } from '../../ports/kafka-requests.ts';
import { retried, retriedAnswer } from '../../ports/retry.ts';
import type { DoctorDeps } from './deps.ts';
import { type Finding, looked, unknown, warning, well, wrong } from './finding.ts';

const WITHIN_MS = 10_000;
/** Clocks that differ by less are well. */
const SKEW_MS = 1_000;
const WHAT = 'transaction';
const CLOCK = 'clock';

type Deps = Pick<DoctorDeps, 'clock' | 'random' | 'job' | 'settings'>;

/**
 * Begins a transaction under an id of the job's prefix, which writes nothing, and aborts it. That it can be begun shows the rights, and
 * the broker tells when it was, by its own clock. What stays is the id, until the broker's transactional.id.expiration.ms, and the
 * mark of an aborted transaction in Kafka's own topic of offsets.
 */
export async function tryTransaction(deps: Deps, kafka: KafkaClient, cluster: string): Promise<readonly Finding[]> {
  const { clock, random, job, settings } = deps;
  const asking = { clock, random, deadlineMs: clock.elapsedMs() + WITHIN_MS };
  const transactionalId = inCluster(cluster, `${job}-doctor`);
  const begun = await retried(asking, () => kafka.initProducerId(transactionalId, settings.transactionTimeoutMs));
  if (begun.answer === 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    return [
      wrong(WHAT, `no transaction may be begun under ${transactionalId}`, `grant Write on the transactional ids with the prefix ${job}-`),
    ];
  if (begun.answer === 'INVALID_TRANSACTION_TIMEOUT')
    return [wrong(WHAT, `the brokers take no timeout of ${settings.transactionTimeoutMs} ms`, 'see "time budget"')];
  if (begun.answer !== 'NONE') return [wrong(WHAT, `InitProducerId was answered ${begun.answer}`, 'look at the brokers, and try again')];
  const who: ProducerIdentity = { transactionalId, producerId: begun.producerId, producerEpoch: begun.producerEpoch };
  const beforeMs = clock.now();
  const added = await retriedAnswer(asking, () => kafka.addOffsets(who, settings.groupId));
  const afterMs = clock.now();
  if (added === 'GROUP_AUTHORIZATION_FAILED')
    return [well(WHAT, `may be begun under ${job}-…`), groupFinding(settings.groupId), unseenClock()];
  if (added !== 'NONE') return [wrong(WHAT, `AddOffsetsToTxn was answered ${added}`, 'look at the brokers, and try again')];
  const clockFindings = await looked(CLOCK, async () => [
    await clockFinding(kafka, transactionalId, { beforeMs, afterMs }, settings.leaseMs),
  ]);
  const ended = await retriedAnswer(asking, () => kafka.endTxn(who, false));
  const found = `one that writes nothing was begun under ${transactionalId}, with group ${settings.groupId}, and aborted`;
  if (ended !== 'NONE') return [wrong(WHAT, `EndTxn was answered ${ended}`, 'look at the brokers, and try again'), ...clockFindings];
  return [well(WHAT, found), ...clockFindings];
}

function groupFinding(groupId: string): Finding {
  return warning(
    `group ${groupId}`,
    'its offsets may not be committed: lag tools see nothing, and a table that was set back is not noticed',
    `grant ${rightsMissing('GROUP_AUTHORIZATION_FAILED')} on group ${groupId}, or set ONCEFLOW_COMMIT_OFFSETS=false`,
  );
}

function unseenClock(): Finding {
  return unknown(CLOCK, 'the brokers could not be asked for theirs');
}

/** Between `beforeMs` and `afterMs` by this clock the transaction began. */
async function clockFinding(
  kafka: KafkaClient,
  transactionalId: string,
  { beforeMs, afterMs }: { readonly beforeMs: number; readonly afterMs: number },
  leaseMs: number,
): Promise<Finding> {
  const [described] = await kafka.describeTransactions([transactionalId]);
  const startedAtMs = described?.startedAtMs;
  if (startedAtMs === undefined) return unseenClock();
  const aheadMs = startedAtMs > afterMs ? startedAtMs - afterMs : Math.min(0, startedAtMs - beforeMs);
  const skewMs = Math.abs(aheadMs);
  if (skewMs < SKEW_MS) return well(CLOCK, `the broker's is within ${Math.max(skewMs, afterMs - beforeMs)} ms of this machine's`);
  const found = `the broker's is ${skewMs} ms ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  const mend = 'set both clocks (NTP)';
  // Who runs a job, and how old records are, is told by clocks; safety hangs on none.
  return skewMs > leaseMs / 3
    ? wrong(CLOCK, `${found}: leases (${leaseMs} ms) and ages are told wrongly`, mend)
    : warning(CLOCK, found, mend);
}
