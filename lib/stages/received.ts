import type { StageRequest } from '../protocol/requests.ts';

/** A request in the process that works on it. */
export type Received<Request extends StageRequest> = Request & {
  /** When the time that came with it is over, by this process's `elapsedMs`: a handler past it does nothing more. */
  readonly deadlineMs: number;
};

/** @param atMs `elapsedMs` when the request came: what is frozen afterwards sees that its time is over. */
export function received<Request extends StageRequest>(request: Request, atMs: number): Received<Request> {
  return { ...request, deadlineMs: atMs + request.timeoutMs };
}
