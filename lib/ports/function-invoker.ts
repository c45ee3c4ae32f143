/** Which function runs a piece of work. On Lambda source and sink functions are shared by their subtasks. */
export interface FunctionTarget {
  readonly role: 'source' | 'operator' | 'sink';
  readonly stage: string;
  readonly subtask: number;
}

/** Calls a stage's function and waits for its answer. Payloads and answers are JSON values. */
export interface FunctionInvoker {
  /**
   * Resolves with the handler's answer. Throws `InvokeError` when none came within `timeoutMs`: the function crashed, timed out, was
   * throttled or could not be reached. The work may then have been done, once or more, and may still be running.
   */
  invoke(
    target: FunctionTarget,
    payload: unknown,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<unknown>;
}

export class InvokeError extends Error {
  override readonly name = 'InvokeError';
  /** Repeating it cannot help: the request or its answer is larger than the platform takes. */
  readonly fatal: boolean;
  constructor(target: FunctionTarget, reason: string, { fatal = false, ...options }: ErrorOptions & { readonly fatal?: boolean } = {}) {
    super(`function ${target.role} (stage ${target.stage}, subtask ${target.subtask}) gave no answer: ${reason}`, options);
    this.fatal = fatal;
  }
}
