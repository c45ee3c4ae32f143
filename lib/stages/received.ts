import type { StageRequest } from '../protocol/requests.ts';

/** A request in the process that works on it. */
export type Received<Request extends StageRequest> = Request & {
  /**
   * When it is to be answered, by this process's `elapsedMs`: a handler past it does nothing more. Before the time that came with the
   * request is over: what has used all of it has nobody left to answer, and whoever asked learns nothing of why.
   */
  readonly deadlineMs: number;
};

/** What of a request's time is left for the last question that is under way and for the answer: this share, and no more than so long. */
const ANSWER_SHARE = 0.1;
const MOST_ANSWER_MS = 3_000;

/** @param atMs `elapsedMs` when the request came: what is frozen afterwards sees that its time is over. */
export function received<Request extends StageRequest>(request: Request, atMs: number): Received<Request> {
  const { timeoutMs } = request;
  return { ...request, deadlineMs: atMs + timeoutMs - Math.min(timeoutMs * ANSWER_SHARE, MOST_ANSWER_MS) };
}
