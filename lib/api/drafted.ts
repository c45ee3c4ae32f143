import { JobDefinitionError } from '../graph/job.ts';
import type { JobDraft } from './job-draft.ts';

/** What a stream that an author holds is in the job that is being defined. */
interface Drafted {
  readonly draft: JobDraft;
  /** `keyed`: the keyBy. Otherwise the node whose values it has. */
  readonly node: number;
  readonly of: 'stream' | 'keyed' | 'broadcast';
}

const drafted = new WeakMap<object, Drafted>();

export function remember<T extends object>(stream: T, of: Drafted): T {
  drafted.set(stream, of);
  return stream;
}

/** What an author gives as a stream; undefined: it is none. */
export function draftedOf(stream: unknown): Drafted | undefined {
  return typeof stream === 'object' && stream !== null ? drafted.get(stream) : undefined;
}

/** The node of a stream that is to be of this job and of this kind. `what` and `wanted` are for the error. */
export function inputOf(draft: JobDraft, stream: unknown, of: Drafted['of'], what: string, wanted: string): number {
  const known = draftedOf(stream);
  if (known?.of === of && known.draft === draft) return known.node;
  throw new JobDefinitionError(`job ${draft.name}: ${what} is not ${wanted}${whyNot(draft, known)}`);
}

function whyNot(draft: JobDraft, known: Drafted | undefined): string {
  if (known === undefined) return '';
  if (known.draft !== draft) return `: it is of job ${known.draft.name}`;
  return known.of === 'stream' ? '' : `: it is ${known.of === 'keyed' ? 'one by key' : 'broadcast'} already, which comes behind this`;
}
