import { kindOf } from '../../ports/broker-answers.ts';
import type { ProducerIdentity } from '../../ports/kafka-requests.ts';
import { retried } from '../../ports/retry.ts';
import { type CommitPermit, checkCovered } from '../../protocol/permit.ts';
import type { OnMissingEvidence } from '../../protocol/requests.ts';
import { mendOf } from './answers.ts';
import type { Asking } from './asking.ts';
import { describeLooks } from './commit.ts';
import type { KafkaCommittable, WrittenRange } from './committable.ts';
import { abortLeftOpen, abortTransaction } from './left-open.ts';
import { type Look, lookBackAt } from './look.ts';
import { markerVerdict } from './marker.ts';
import { sendStaged } from './send-staged.ts';
import type { StagedSection } from './staged-output.ts';

export interface ResolveRequest {
  readonly permit: CommitPermit;
  /** The newest of its epoch, sink and subtask: the manifest's, or the one that was recorded when it was sent again. */
  readonly committable: KafkaCommittable;
  readonly transactionTimeoutMs: number;
  readonly compacted: ReadonlySet<string>;
  readonly onMissingEvidence: OnMissingEvidence;
  /** The rule is of what was answered as missing, and of nothing that is missing besides. Undefined: of whatever is. */
  readonly missing?: string | undefined;
  /** Reads the staged output; called only when it has to be sent again. */
  readonly staged: () => Promise<readonly StagedSection[]>;
}

/**
 * As `resolve` of a connector. `unknownTopic`: it is not settled because no broker knows the topic, at this moment. `missing`: all that
 * gives no evidence.
 */
export type ResolveOutcome =
  | { readonly outcome: 'committed' }
  | { readonly outcome: 'sent-again'; readonly committable: KafkaCommittable }
  | {
      readonly outcome: 'unsettled' | 'no-evidence';
      readonly message: string;
      readonly unknownTopic?: string;
      readonly missing?: string;
    }
  | { readonly outcome: 'refused'; readonly message: string };

/**
 * Finds out what became of a decided epoch's transaction, and sends again what was aborted (docs/protocol.md). Asked for only
 * by the holder of the generation. It makes one pass, and commits nothing.
 */
export async function resolveTransaction(asking: Asking, request: ResolveRequest): Promise<ResolveOutcome> {
  const { permit, committable, compacted } = request;
  checkCovered(committable, permit);
  const { transactionalId, marker } = committable;
  // Committed is final: then nobody need be fenced.
  if (marker === undefined && (await isCommitted(asking, request))) return { outcome: 'committed' };

  // From here on nobody can commit under an older identity: what is not committed now will only be by the one below.
  const fenced = await retried(asking, () => asking.kafka.initProducerId(transactionalId, request.transactionTimeoutMs));
  if (kindOf(fenced.answer) === 'refused')
    return {
      outcome: 'refused',
      message: `${subjectOf(committable)}: InitProducerId was answered ${fenced.answer}: ${mendOf(fenced.answer)}`,
    };
  if (fenced.answer !== 'NONE') return unsettled(committable, `InitProducerId was answered ${fenced.answer}`);
  const who: ProducerIdentity = { transactionalId, producerId: fenced.producerId, producerEpoch: fenced.producerEpoch };

  if (marker !== undefined) {
    const found = await markerVerdict(asking, committable, marker, asking.clock.now());
    const missing = `marker of ${transactionalId}`;
    const rule = ruleFor(request, missing);
    if (found.verdict === 'committed') return { outcome: 'committed' };
    if (found.verdict === 'no-evidence' && rule === 'committed') return { outcome: 'committed' };
    const isLost = found.verdict === 'no-evidence' && rule === 'lost';
    if (found.verdict === 'forgotten') return { outcome: 'no-evidence', message: found.message };
    if (found.verdict === 'no-evidence' && !isLost) return { outcome: 'no-evidence', message: found.message, missing };
    if (found.verdict === 'unsettled') return { outcome: 'unsettled', message: found.message };
    return sendAgain(asking, request, who, await request.staged());
  }

  const looks = await lookBackAt(asking, committable, compacted);
  const rangesThatAre = (...fates: string[]) => looks.filter(({ fate }) => fates.includes(fate)).map(({ range }) => range);
  const gone = rangesThatAre('no-evidence');
  const unknown = looks.filter(({ fate }) => fate === 'unknown');
  const withoutTopic = unknown.filter(({ answer }) => answer === 'UNKNOWN_TOPIC_OR_PARTITION');
  // A leader that is none any more, or a broker that starts, may say so of others for a moment.
  const missing = placesOf([...gone, ...withoutTopic.map(({ range }) => range)]);
  const rule = ruleFor(request, missing);
  if (gone.length > 0 && rule === 'stop') return { outcome: 'no-evidence', message: goneText(committable, gone), missing };
  const refused = looks.find(({ answer }) => kindOf(answer) === 'refused');
  if (refused !== undefined) {
    const { answer, range } = refused;
    const where = `${range.topic}-${range.partition}`;
    return {
      outcome: 'refused',
      message: `${subjectOf(committable)}: a look at ${where} was answered ${answer}: ${mendOf(answer, range.topic)}`,
    };
  }
  // A person who gives up the output of a topic that is gone gives up that of no other: it is told when all the rest is known.
  const [lost] = withoutTopic.length === unknown.length ? withoutTopic : [];
  const left = unsettledFor(committable, looks, lost && { unknownTopic: lost.range.topic, missing });
  const isGivenUp = rule === 'committed' && lost !== undefined;
  if (unknown.length > 0 && !isGivenUp) return left;
  const undecided = rangesThatAre('undecided');
  if (undecided.length > 0) return abortUndecided(asking, committable, who, undecided);
  const aborted = [...rangesThatAre('aborted'), ...(rule === 'lost' ? gone : [])];
  if (aborted.length === 0) return lost === undefined ? { outcome: 'committed' } : left;
  const isAborted = ({ topic, partition }: StagedSection) =>
    aborted.some((range) => range.topic === topic && range.partition === partition);
  return sendAgain(asking, request, who, (await request.staged()).filter(isAborted));
}

async function isCommitted(asking: Asking, { committable, compacted }: ResolveRequest): Promise<boolean> {
  return (await lookBackAt(asking, committable, compacted)).every(({ fate }) => fate === 'committed');
}

/**
 * What a broker forgot to end is aborted, and not committed where it is: by now it may hold records of an attempt that woke
 * up late. What is aborted is sent again in the next pass.
 */
async function abortUndecided(
  asking: Asking,
  committable: KafkaCommittable,
  who: ProducerIdentity,
  undecided: readonly WrittenRange[],
): Promise<ResolveOutcome> {
  const where = undecided.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  // Producer ids are replaced when their epochs are used up. What an old one left open no client can end.
  if (who.producerId !== committable.producerId)
    return {
      outcome: 'no-evidence',
      message: `transaction ${committable.transactionalId} of epoch ${committable.epoch}: the broker forgot its end in ${where} (KAFKA-20734), and has replaced its producer id ${committable.producerId} since. End it with Kafka's own tool, kafka-transactions.sh abort, and start the job again`,
    };
  const aborted = await abortLeftOpen(asking, who, undecided);
  // A leader that is cut off from the others, and is none any more, says the same. The next pass asks who leads.
  for (const { topic } of undecided) asking.kafka.forgetLeaders(topic);
  return unsettled(committable, `the broker forgot its end in ${where}; it is aborted there (${aborted}) before it is sent again`);
}

/** Under the identity of the InitProducerId above, never another: if anyone came between, this send is refused. */
async function sendAgain(
  asking: Asking,
  { committable }: ResolveRequest,
  who: ProducerIdentity,
  staged: readonly StagedSection[],
): Promise<ResolveOutcome> {
  const { sink, subtask, epoch } = committable;
  if (staged.length === 0)
    throw new Error(`${subjectOf(committable)} was aborted, and nothing of its staged output is for those partitions`);
  const sent = await sendStaged(asking, who, staged);
  if (sent.sent) return { outcome: 'sent-again', committable: { sink, subtask, epoch, ...who, written: sent.written } };
  await abortTransaction(asking, who);
  const kind = kindOf(sent.answer);
  if (kind === 'refused' || kind === 'record')
    return { outcome: 'refused', message: `${subjectOf(committable)}: ${sent.during} was answered ${sent.answer}: ${mendOf(sent.answer)}` };
  return unsettled(committable, `sending again: ${sent.during} was answered ${sent.answer}`);
}

function goneText({ transactionalId, epoch }: KafkaCommittable, gone: readonly WrittenRange[]): string {
  const places = gone.map(({ topic, partition, first, last }) => `topic ${topic}, partition ${partition}, offsets ${first} to ${last}`);
  return `whether transaction ${transactionalId} of epoch ${epoch} was committed cannot be told any more: ${places.join('; ')} ${gone.length === 1 ? 'is' : 'are'} not in the log (retention took them, the log was compacted, or the topic was made anew). Look whether the output is there, and start once with ONCEFLOW_ON_MISSING_EVIDENCE=committed or =lost ("Missing evidence" in docs/runbook.md)`;
}

/** What a person has said of missing evidence, as far as it is of what is missing now. */
function ruleFor(request: ResolveRequest, missing: string): OnMissingEvidence {
  return request.missing === undefined || request.missing === missing ? request.onMissingEvidence : 'stop';
}

/** To be compared: of one committable, in its order. */
function placesOf(ranges: readonly WrittenRange[]): string {
  return ranges
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .sort()
    .join(' ');
}

function unsettledFor(
  committable: KafkaCommittable,
  looks: readonly Look[],
  gone: { readonly unknownTopic: string; readonly missing: string } | undefined,
): ResolveOutcome {
  return { ...unsettled(committable, describeLooks(looks)), ...gone };
}

function unsettled(committable: KafkaCommittable, why: string): Extract<ResolveOutcome, { outcome: 'unsettled' | 'no-evidence' }> {
  return { outcome: 'unsettled', message: `${subjectOf(committable)}: ${why}` };
}

function subjectOf({ transactionalId, epoch }: KafkaCommittable): string {
  return `transaction ${transactionalId} of epoch ${epoch}`;
}
