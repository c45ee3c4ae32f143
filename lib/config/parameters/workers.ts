import { text, workerUrls } from '../kinds.ts';
import { optional } from './row.ts';

/** Long-lived processes in place of a deployment's functions: `onceflow run` and `onceflow worker`. */
export const workersParameters = {
  workers: optional({
    variable: 'ONCEFLOW_WORKERS',
    kind: workerUrls,
    unset: 'processes of the same machine',
    readBy: ['workers'],
    doc: '`onceflow run`: the workers that run the functions, `https://worker-1:8443,https://worker-2:8443`, each an `onceflow worker` of this job. `http` only for workers on the same machine.',
  }),
  workerTokenFile: optional({
    variable: 'ONCEFLOW_WORKER_TOKEN_FILE',
    kind: text('a file with a token a line'),
    unset: 'no token, and workers listen on loopback only',
    readBy: ['workers'],
    doc: '`onceflow run` and `onceflow worker`: the secret between them, a line of 16 to 512 letters, digits and signs. A worker takes each line of its file, `onceflow run` sends the first: so a token is changed without a pause.',
  }),
  workerCaFile: optional({
    variable: 'ONCEFLOW_WORKER_CA_FILE',
    kind: text('a file with certificates as PEM'),
    unset: 'the authorities that Node trusts',
    readBy: ['workers'],
    doc: '`onceflow run`: whose certificates are trusted of the workers at `https://…`.',
  }),
  workerCertFile: optional({
    variable: 'ONCEFLOW_WORKER_CERT_FILE',
    kind: text('a file with a certificate as PEM, and those between it and the authority'),
    unset: 'no TLS',
    readBy: ['workers'],
    doc: '`onceflow worker`: its certificate, for the names in ONCEFLOW_WORKERS. With it the worker speaks `https`, and nothing else.',
  }),
  workerKeyFile: optional({
    variable: 'ONCEFLOW_WORKER_KEY_FILE',
    kind: text('a file with a private key as PEM'),
    unset: 'no TLS',
    readBy: ['workers'],
    doc: '`onceflow worker`: the private key of ONCEFLOW_WORKER_CERT_FILE.',
  }),
};
