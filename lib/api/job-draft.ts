import { JobDefinitionError, type JobNode } from '../graph/job.ts';
import { formerNames, type Uid } from './uid.ts';

type Draft<N> = N extends JobNode ? Omit<N, 'id'> : never;

/** A job while it is defined: its nodes so far, and the uids that are taken. */
export class JobDraft {
  readonly name: string;
  readonly nodes: JobNode[] = [];
  readonly #uids = new Set<string>();
  /** By uid, those that it had before. */
  readonly #formerly = new Map<string, readonly string[]>();
  #isDefined = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Adds a node and returns its id. */
  add(node: Draft<JobNode>): number {
    if (this.#isDefined)
      throw new JobDefinitionError(
        `job ${this.name}: a stream of it is used after the job was defined, and what is added now would run in some processes and not in others: do that within the function that defineJob is given`,
      );
    const id = this.nodes.length;
    const formerly = 'uid' in node ? this.#formerly.get(node.uid) : undefined;
    this.nodes.push({ ...node, id, ...(formerly !== undefined && { formerly }) } as JobNode);
    return id;
  }

  /** The uid alone: those that it had before are the node's when it is added. */
  uidOf(given: Uid): string {
    if (typeof given !== 'object' || given === null) return given;
    const { uid } = given;
    const formerly = formerNames(given, `job ${this.name}: uid ${JSON.stringify(uid)}`);
    for (const name of formerly) this.checkName(name, `a former uid of ${uid}`);
    this.#formerly.set(uid, formerly);
    return uid;
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

  /** All is defined: what is kept under a uid is that of one node. */
  checkFormerUids(): void {
    const claims = [...this.#formerly].flatMap(([uid, names]) => names.map((name) => ({ uid, name })));
    claims.forEach(({ uid, name }, index) => {
      if (this.#uids.has(name))
        throw new JobDefinitionError(
          `job ${this.name}: ${uid} says that it was ${name} formerly, and the job has a ${name}: what is kept under that uid would be of both; take it out of \`formerly\`, or give ${name} another uid`,
        );
      const other = claims.find((claim, at) => at < index && claim.name === name);
      if (other !== undefined)
        throw new JobDefinitionError(
          `job ${this.name}: ${other.uid} and ${uid} both say that they were ${name} formerly: what is kept under that uid is of one of them`,
        );
    });
  }

  /** All is defined: nothing can be added any more. */
  close(): void {
    this.#isDefined = true;
  }

  where(what: string): string {
    return `job ${this.name}: the function of ${what}`;
  }
}
