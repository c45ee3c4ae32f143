import { PROTOCOL_VERSION } from '../requests.ts';
import type { Own } from '../shape.ts';
import { DELIVERED, flatCommittable, PREPARED, upgradedCommittable } from './committables.ts';

/*
 * Coordinators of protocol version 1, which is that of manifests of version 2 and 1, go on asking until they are replaced: what is
 * decided has to be committed, by functions of whatever build. What they ask else is refused, as another build's.
 */

/** What is asked, in the words of this build, and the answer in theirs. */
export interface EarlierRequest {
  readonly request: unknown;
  answer(answer: unknown): unknown;
}

/** Undefined: it is none of theirs, or none that has to be done. */
export function earlierRequest(payload: unknown): EarlierRequest | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const asked = payload as Own;
  if ((asked['version'] ?? 1) !== 1) return undefined;
  const common = { ...asked, version: PROTOCOL_VERSION, sinkFacts: {}, connector: PREPARED };
  const { stage, subtask, epoch, compacted = [], transactionTimeoutMs } = asked;
  switch (asked['ask']) {
    case 'commit': {
      const committables = listOf(asked['committables']);
      return {
        request: { ...common, committables: committables.map(upgradedCommittable), terms: { compacted, transactionTimeoutMs } },
        answer: (answer) => withIds(answer as Own, committables),
      };
    }
    case 'resolve':
      return {
        request: { ...common, committable: upgradedCommittable(asked['committable']), terms: { compacted, transactionTimeoutMs } },
        answer: (answer) => withFlat(answer as Own, asked['committable'] as Own),
      };
    case 'abort':
      return { request: { ...common, committables: listOf(asked['committables']).map(upgradedCommittable) }, answer: (answer) => answer };
    case 'send': {
      const committable = { sink: stage, connector: DELIVERED, subtask, epoch, token: {} };
      return { request: { ...common, connector: DELIVERED, committable }, answer: (answer) => withoutParts(answer as Own) };
    }
    default:
      return undefined;
  }
}

function withIds(answer: Own, committables: readonly unknown[]): unknown {
  const { doubtful } = answer as { readonly doubtful?: readonly { readonly subtask: number; readonly why: string }[] };
  if (doubtful === undefined) return answer;
  const idOf = (subtask: number) => (committables as readonly Own[]).find((one) => one['subtask'] === subtask)?.['transactionalId'];
  return { ...answer, doubtful: doubtful.map(({ subtask, why }) => ({ transactionalId: idOf(subtask), why })) };
}

function withFlat(answer: Own, asked: Own): unknown {
  type Answer = { readonly committable?: Own & { readonly token: Own }; readonly gone?: string; readonly missing?: string };
  const { committable, gone, missing: _, ...rest } = answer as Answer;
  const [range] = listOf(asked['written']) as readonly { readonly topic?: string }[];
  return {
    ...rest,
    ...(committable !== undefined && { committable: flatCommittable(committable) }),
    ...(gone !== undefined && { unknownTopic: range?.topic }),
  };
}

/** They know of no output that was sent in part: they ask for all of it again. */
function withoutParts(answer: Own): unknown {
  if (answer['outcome'] !== 'sent-partly') return answer;
  const timeIsOver = { outcome: 'failed', kind: 'transient', message: 'its time was over before all of the output was sent' };
  return answer['failed'] ?? timeIsOver;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
