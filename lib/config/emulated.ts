/**
 * What `onceflow deploy-local` and a project's CDK app say to each other. The command gives the app the brokers by the CDK's context; each
 * job of it tells what it is in the metadata of its coordinator's function, in the template.
 */

/** CDK context: the brokers, where the app is deployed to an emulator. */
export const EMULATED_BROKERS = 'onceflow:emulated-brokers';

/** Metadata of a function in the template. */
export const EMULATED_JOB = 'onceflow:job';

/** A job that is deployed to an emulator. */
export interface EmulatedJob {
  readonly name: string;
  readonly sources: readonly { readonly uid: string; readonly topic: string }[];
  /** Topics that it writes. */
  readonly writes: readonly string[];
  /** Its coordinator. */
  readonly functionName: string;
  /** Outputs of its stack. */
  readonly outputs: { readonly table: string; readonly blobs: string };
}
