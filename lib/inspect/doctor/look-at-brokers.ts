import { checkBudget } from '../../config/budget.ts';
import type { BrokerDescription, ClusterDescription, KafkaClient } from '../../ports/kafka-checks.ts';
import type { DoctorDeps } from './deps.ts';
import { type Finding, looked, unknown, warning, well, wrong } from './finding.ts';
import { releaseOf } from './kafka-version.ts';
import { plainDuration } from './plain-duration.ts';

const MAX_TIMEOUT = 'transaction.max.timeout.ms';
const LOG_MIN_ISR = 'transaction.state.log.min.isr';
const OFFSETS_RETENTION = 'offsets.retention.minutes';
/** Of a broker that nobody changed. */
const DEFAULTS = { [MAX_TIMEOUT]: 900_000, [LOG_MIN_ISR]: 2, [OFFSETS_RETENTION]: 10_080 };
const LEAST_OFFSETS_RETENTION_MIN = 24 * 60;

/** Are the brokers there, do they know what the engine asks, and do their settings go with ours? */
export async function lookAtBrokers({ settings }: Pick<DoctorDeps, 'settings'>, kafka: KafkaClient): Promise<readonly Finding[]> {
  const cluster = await kafka.describeCluster();
  return [
    ...cluster.brokers.map(brokerFinding),
    rightsFinding(cluster),
    ...(await looked('broker settings', () => settingFindings(kafka, settings, cluster.brokers.length))),
  ];
}

function brokerFinding({ id, address, apis }: BrokerDescription): Finding {
  const what = `broker ${id}`;
  if ('noAnswer' in apis)
    return wrong(
      what,
      `it is told to be at ${address}, and does not answer from here: ${apis.noAnswer}`,
      'start it, or correct its advertised.listeners, DNS or the firewall between',
    );
  const release = releaseOf(apis);
  if (release === undefined) return wrong(what, `${address} is older than Apache Kafka 2.8, which the engine needs`, 'upgrade the brokers');
  const found = `${address} answers; Apache Kafka ${release} or later`;
  if (release === '2.8')
    return warning(what, found, 'upgrade to 3.0 or later: before that brokers cannot be asked about transactions (onceflow transactions)');
  return well(what, found);
}

function rightsFinding({ rights }: ClusterDescription): Finding {
  const what = 'rights on the cluster';
  if (rights === undefined) return unknown(what, 'the brokers do not say');
  if (rights.has('DescribeConfigs')) return well(what, 'DescribeConfigs');
  return wrong(what, 'DescribeConfigs is missing', 'grant DescribeConfigs on the cluster: the broker settings are read at each start');
}

async function settingFindings(kafka: KafkaClient, settings: DoctorDeps['settings'], brokers: number): Promise<readonly Finding[]> {
  const names = [MAX_TIMEOUT, LOG_MIN_ISR, OFFSETS_RETENTION] as const;
  const found = await kafka.brokerConfig(names);
  const of = (name: (typeof names)[number]) => Number(found.get(name) ?? DEFAULTS[name]);
  return [budgetFinding(settings, of(MAX_TIMEOUT)), minIsrFinding(of(LOG_MIN_ISR), brokers), offsetsFinding(of(OFFSETS_RETENTION))];
}

function budgetFinding(settings: DoctorDeps['settings'], maxMs: number): Finding {
  const verdict = checkBudget(settings, maxMs);
  return verdict.ok ? well('time budget', verdict.explanation) : wrong('time budget', verdict.refused);
}

function minIsrFinding(minIsr: number, brokers: number): Finding {
  const found = `${LOG_MIN_ISR} is ${minIsr}, with ${brokers} broker${brokers === 1 ? '' : 's'}`;
  if (minIsr >= 2) return well('transaction log', found);
  const mend = `with three brokers or more set ${LOG_MIN_ISR}=2 and transaction.state.log.replication.factor=3: one broker that is lost takes the state of transactions with it`;
  return brokers >= 3
    ? wrong('transaction log', found, mend)
    : warning('transaction log', `${found}: good for a machine of your own`, mend);
}

function offsetsFinding(minutes: number): Finding {
  const found = `${OFFSETS_RETENTION} is ${minutes} (${plainDuration(minutes * 60_000)})`;
  if (minutes >= LEAST_OFFSETS_RETENTION_MIN) return well('group offsets', found);
  return warning(
    'group offsets',
    found,
    `raise ${OFFSETS_RETENTION}: a table that was set back or lost is noticed by the group's offsets, as long as they are kept`,
  );
}
