import type { ConfigFault, Rule } from './fault.ts';
import type { Parameter } from './parameters/row.ts';
import { parameters, type ToolConfig } from './parameters.ts';

const CERT = parameters.workerCertFile.variable;
const KEY = parameters.workerKeyFile.variable;
const WORKERS = parameters.workers.variable;

/** Who may speak to workers, and who may listen, say the same. The first contradiction is enough. */
export const workersFit: Rule = (config) => {
  const fault = plainFault(config) ?? tokenFault(config) ?? caFault(config) ?? keyFault(config);
  return fault === undefined ? [] : [fault];
};

function faultIn(of: Parameter<unknown>, value: string | undefined, rule: string, mend: string): ConfigFault {
  return { option: of.variable, value, rule, mend };
}

/** Records, and the token that lets anybody run functions, stay on the machine or are encrypted. */
function plainFault({ workers = [] }: ToolConfig): ConfigFault | undefined {
  const plain = workers.find(({ isTls, isLoopback }) => !isTls && !isLoopback);
  if (plain === undefined) return undefined;
  return faultIn(
    parameters.workers,
    plain.origin,
    'https for a worker on another machine: token and records would be in plain text on the network',
    `give the worker ${CERT} and ${KEY}, and write https here`,
  );
}

function tokenFault({ workers = [], workerTokenFile }: ToolConfig): ConfigFault | undefined {
  const far = workers.find(({ isLoopback }) => !isLoopback);
  if (far === undefined || workerTokenFile !== undefined) return undefined;
  return faultIn(
    parameters.workerTokenFile,
    undefined,
    `a file with the token of the workers, because ${far.origin} (${WORKERS}) is another machine`,
    'set it here and at the workers',
  );
}

function caFault({ workers = [], workerCaFile }: ToolConfig): ConfigFault | undefined {
  if (workerCaFile === undefined || workers.some(({ isTls }) => isTls)) return undefined;
  return faultIn(
    parameters.workerCaFile,
    workerCaFile,
    `unset without a worker at https in ${WORKERS}`,
    `unset it, or write https in ${WORKERS}`,
  );
}

function keyFault({ workerCertFile, workerKeyFile }: ToolConfig): ConfigFault | undefined {
  if ((workerCertFile === undefined) === (workerKeyFile === undefined)) return undefined;
  const [missing, given] = workerKeyFile === undefined ? ([KEY, CERT] as const) : ([CERT, KEY] as const);
  const of = workerKeyFile === undefined ? parameters.workerKeyFile : parameters.workerCertFile;
  return faultIn(of, undefined, `${of.rule}, because ${given} is set`, `set ${missing}, or unset ${given}`);
}
