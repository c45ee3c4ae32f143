/** An epoch that was committed, as the offsets of the consumer group tell of it: they are kept elsewhere than the job's row. */
export interface Witness {
  /** Undefined: it was left by an earlier build, which did not say. */
  readonly job: string | undefined;
  readonly incarnation: string;
  readonly epoch: number;
}

/** The text that a committed epoch leaves with its group offsets. */
export function witnessOf({ job, incarnation, epoch }: Witness & { readonly job: string }): string {
  return `onceflow job ${job} incarnation ${incarnation} epoch ${epoch}`;
}

/** Undefined for what others wrote there. */
export function readWitness(metadata: string): Witness | undefined {
  const [, job, incarnation, epoch] = /^onceflow(?: job (\S+))? incarnation (\S+) epoch (\d+)$/.exec(metadata) ?? [];
  return incarnation === undefined ? undefined : { job, incarnation, epoch: Number(epoch) };
}

/** The same, unless it tells of another job: groups may be shared, or taken over. */
export function witnessFor(job: string, metadata: string): Witness | undefined {
  const witness = readWitness(metadata);
  return witness?.job === undefined || witness.job === job ? witness : undefined;
}
