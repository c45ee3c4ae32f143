import { oneOf, wholeNumber } from '../kinds.ts';
import { LONGEST_INVOCATION_MS } from './limits.ts';
import { defaulted } from './row.ts';

/** Who runs the job. */
export const leaseParameters = {
  leaseMs: defaulted({
    variable: 'ONCEFLOW_LEASE_MS',
    kind: wholeNumber(100, LONGEST_INVOCATION_MS),
    unit: 'ms',
    default: '30000',
    readBy: ['coordinator', 'cli', 'infra'],
    doc: "A coordinator's lease. A scheduled revival waits until it has expired; an explicit start does not.",
  }),
  takeover: defaulted({
    variable: 'ONCEFLOW_TAKEOVER',
    kind: oneOf('allow', 'refuse'),
    default: 'allow',
    readBy: ['coordinator'],
    doc: 'What an explicit start does when another process holds the job: `allow` takes the job over at once, the other process ends; `refuse` starts nothing while the lease of the other lasts.',
  }),
  standby: defaulted({
    variable: 'ONCEFLOW_STANDBY',
    kind: oneOf('none', 'keep'),
    default: 'none',
    readBy: ['coordinator', 'infra'],
    doc: 'In a deployment: `keep` has a second coordinator function wait at all times, which takes over when the lease of one that crashed runs out. `none`: the next tick does, up to a minute later.',
  }),
};
