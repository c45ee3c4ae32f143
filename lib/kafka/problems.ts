import { isPassing, rightsMissing, SINK_TOPIC_RIGHTS, SOURCE_TOPIC_RIGHTS } from '../ports/broker-answers.ts';
import { type KafkaAnswer, KafkaProblem } from '../ports/kafka-requests.ts';
import type { LoginRefused, SslOptions } from './connection.ts';
import type { SaslOptions } from './log-in.ts';
import type { Api } from './wire-request.ts';

/** Who we are to the brokers, for messages. */
export interface Login {
  readonly brokers: readonly string[];
  readonly ssl: SslOptions | undefined;
  readonly sasl: SaslOptions | undefined;
}

/** What a request was about. */
export type Resource = { readonly kind: 'topic' | 'group' | 'transactional id'; readonly name: string } | { readonly kind: 'cluster' };

const missingAcls: ReadonlyMap<KafkaAnswer, (resource: Resource) => string> = new Map([
  [
    'TOPIC_AUTHORIZATION_FAILED',
    (resource: Resource) =>
      `${SOURCE_TOPIC_RIGHTS} on ${described(resource, 'topic')} if the job reads it, ${SINK_TOPIC_RIGHTS} if it writes it`,
  ],
  [
    'GROUP_AUTHORIZATION_FAILED',
    (resource: Resource) =>
      `${rightsMissing('GROUP_AUTHORIZATION_FAILED')} on ${described(resource, 'group')} (best on the prefix of the job's name)`,
  ],
  [
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    (resource: Resource) =>
      `${rightsMissing('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')} on ${described(resource, 'transactional id')} (best on the prefix of the job's name)`,
  ],
  ['CLUSTER_AUTHORIZATION_FAILED', () => `${rightsMissing('CLUSTER_AUTHORIZATION_FAILED')} on the cluster`],
]);

function described(resource: Resource, kind: string): string {
  return resource.kind === kind && 'name' in resource
    ? `${kind} ${resource.name}`
    : `the ${kind} that ${'name' in resource ? resource.name : 'the request'} uses`;
}

/** Says which ACL is missing, when the answer is a refusal. */
export function refusalOf(login: Login, what: string, answer: KafkaAnswer, resource: Resource): string | undefined {
  const missing = missingAcls.get(answer);
  if (missing === undefined) return undefined;
  return `${what}: the brokers ${login.brokers.join(', ')} refuse it to ${principalOf(login)} (${answer}). Grant this principal ${missing(resource)}.`;
}

function principalOf({ sasl, ssl }: Login): string {
  if (sasl !== undefined) return sasl.mechanism === 'oauthbearer' ? "the token's principal" : `user ${sasl.credentials.username() ?? '?'}`;
  return typeof ssl === 'object' && ssl.cert !== undefined
    ? "the client certificate's principal"
    : 'the anonymous principal (no SASL, no client certificate)';
}

/** A request of the source or administration kind was answered with an error. */
export function answerProblem(login: Login, what: string, answer: KafkaAnswer, resource: Resource): KafkaProblem {
  const refusal = refusalOf(login, what, answer, resource);
  if (refusal !== undefined) return new KafkaProblem(answer, refusal, false);
  return new KafkaProblem(answer, `${what}: the brokers ${login.brokers.join(', ')} answered ${answer}`, isPassing(answer));
}

export function unreachableProblem(login: Login, what: string, reason: string): KafkaProblem {
  const transport = `${login.sasl === undefined ? 'no SASL' : `SASL ${login.sasl.mechanism}`}, ${login.ssl ? 'TLS' : 'no TLS'}`;
  return new KafkaProblem(
    'NO_ANSWER',
    `${what}: no answer from the brokers ${login.brokers.join(', ')} (${transport}): ${reason}. ` +
      'Are they up, is ONCEFLOW_BROKERS right for where this process runs, and does the listener expect what we speak (TLS, SASL)?',
    true,
  );
}

export function noSuchTopicProblem(login: Login, topic: string): KafkaProblem {
  return new KafkaProblem(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `topic ${topic} does not exist on ${login.brokers.join(', ')}; create it, or change the job's topic (ONCEFLOW_TOPICS, or ONCEFLOW_DEAD_LETTER_TOPIC) or ONCEFLOW_BROKERS. ` +
      'Topics are never created on their own.',
    false,
  );
}

export function loginProblem(login: Login, broker: string, { what, reason }: LoginRefused): KafkaProblem {
  switch (what) {
    case 'certificate':
      return new KafkaProblem(
        'UNTRUSTED_CERTIFICATE',
        `the certificate of broker ${broker} is not to be trusted: ${reason}. ONCEFLOW_KAFKA_CA_FILE must hold the certificate of the ` +
          'authority that signed it, and ONCEFLOW_BROKERS must name the broker as its certificate does.',
        false,
      );
    case 'credentials':
      return new KafkaProblem('SASL_AUTHENTICATION_FAILED', `there is no login for broker ${broker}: ${reason}`, false);
    case 'login':
      return new KafkaProblem(
        'SASL_AUTHENTICATION_FAILED',
        `broker ${broker} refused the login of ${principalOf(login)} (SASL mechanism ${login.sasl?.mechanism ?? 'none'}): ${reason}. ${mendOfLogin(login)}`,
        false,
      );
  }
}

function mendOfLogin({ sasl }: Login): string {
  return sasl?.mechanism === 'oauthbearer'
    ? 'Check that the role has kafka-cluster:Connect on the cluster, and that AWS_REGION is its region.'
    : 'Check ONCEFLOW_KAFKA_SASL_MECHANISM, and user and password in ONCEFLOW_KAFKA_SECRET_ARN or ONCEFLOW_KAFKA_CREDENTIALS_FILE.';
}

export function tooOldProblem(broker: string, api: Api, known: { readonly min: number; readonly max: number } | undefined): KafkaProblem {
  const has = known === undefined ? 'does not know it' : `knows versions ${known.min} to ${known.max}`;
  const needs =
    api.since === undefined ? 'Onceflow needs brokers from Apache Kafka 2.5 on.' : `This needs brokers from Apache Kafka ${api.since} on.`;
  return new KafkaProblem('UNSUPPORTED_VERSION', `broker ${broker} ${has}: ${api.name} version ${api.version} is needed. ${needs}`, false);
}
