import { checkBudget } from '../../config/budget.ts';
import type { BrokerDescription, KafkaClient } from '../../ports/kafka-checks.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import type { DoctorDeps } from './deps.ts';
import { type Finding, looked, warning, well, wrong } from './finding.ts';
import { releaseOf } from './kafka-version.ts';
import { plainDuration } from './plain-duration.ts';

const MAX_TIMEOUT = 'transaction.max.timeout.ms';
const LOG_MIN_ISR = 'transaction.state.log.min.isr';
const OFFSETS_RETENTION = 'offsets.retention.minutes';
/** Of a broker that nobody changed. */
const DEFAULTS = { [MAX_TIMEOUT]: 900_000, [LOG_MIN_ISR]: 2, [OFFSETS_RETENTION]: 10_080 };
type Setting = keyof typeof DEFAULTS;
const LEAST_OFFSETS_RETENTION_MIN = 24 * 60;

/** Are the brokers there, do they know what the engine asks, and do their settings go with ours? */
export async function lookAtBrokers(
  { settings }: Pick<DoctorDeps, 'settings'>,
  kafka: KafkaClient,
  cluster = '',
): Promise<readonly Finding[]> {
  const brokers = await kafka.describeBrokers(cluster);
  return [
    ...brokers.map(brokerFinding),
    ...(await looked('broker settings', async () => settingFindings(settings, brokers.length, await settingsOf(kafka, cluster)))),
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

function settingFindings(
  settings: DoctorDeps['settings'],
  brokers: number,
  found: ReadonlyMap<string, string> | undefined,
): readonly Finding[] {
  const what = 'rights on the cluster';
  // What else a login may do there is of no use to the job.
  if (found === undefined)
    return [wrong(what, 'DescribeConfigs is missing', 'grant DescribeConfigs on the cluster: the broker settings are read at each start')];
  const of = (name: Setting) => Number(found.get(name) ?? DEFAULTS[name]);
  return [
    well(what, 'DescribeConfigs'),
    budgetFinding(settings, of(MAX_TIMEOUT)),
    minIsrFinding(of(LOG_MIN_ISR), brokers),
    offsetsFinding(of(OFFSETS_RETENTION)),
  ];
}

/** Undefined: they may not be read. */
async function settingsOf(kafka: KafkaClient, cluster: string): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return await kafka.brokerConfig(Object.keys(DEFAULTS), cluster);
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'CLUSTER_AUTHORIZATION_FAILED') return undefined;
    throw error;
  }
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
