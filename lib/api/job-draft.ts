import { JobDefinitionError, type JobNode } from '../graph/job.ts';

type Draft<N> = N extends JobNode ? Omit<N, 'id'> : never;

/** A job while it is defined: its nodes so far, and the uids that are taken. */
export class JobDraft {
  readonly name: string;
  readonly nodes: JobNode[] = [];
  readonly #uids = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** Adds a node and returns its id. */
  add(node: Draft<JobNode>): number {
    const id = this.nodes.length;
    this.nodes.push({ ...node, id } as JobNode);
    return id;
  }

  claim(uid: string): string {
    this.checkName(uid, 'uid');
    if (this.#uids.has(uid))
      throw new JobDefinitionError(`job ${this.name}: uid ${uid} is used twice; uids name state, offsets and transactions and must differ`);
    this.#uids.add(uid);
    return uid;
  }

  checkName(name: string, what: string): void {
    if (typeof name === 'string' && /^[a-z0-9-]{1,60}$/.test(name)) return;
    throw new JobDefinitionError(
      `job ${this.name}: ${what} ${JSON.stringify(name)} must be 1 to 60 characters of a-z 0-9 - (it is part of blob names and transactional ids)`,
    );
  }

  where(what: string): string {
    return `job ${this.name}: the function of ${what}`;
  }
}
