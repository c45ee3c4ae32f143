import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config/fault.ts';
import { type ConfigOf, parameters } from '../config/parameters.ts';
import { reasonOf } from '../ports/reason.ts';
import { TOKENS_RULE, tokensIn } from './token.ts';

type WorkersConfig = ConfigOf<'workers'>;
type FileName = 'workerTokenFile' | 'workerCaFile' | 'workerCertFile' | 'workerKeyFile';

/** The tokens of ONCEFLOW_WORKER_TOKEN_FILE: none without it. @throws ConfigError */
export function readTokens({ workerTokenFile }: Pick<WorkersConfig, 'workerTokenFile'>): readonly string[] {
  if (workerTokenFile === undefined) return [];
  const tokens = tokensIn(textOf('workerTokenFile', workerTokenFile));
  if (tokens === undefined) throw wrong('workerTokenFile', workerTokenFile, TOKENS_RULE, 'correct the file');
  return tokens;
}

/** Whose certificates are trusted besides those that Node trusts. @throws ConfigError */
export function readWorkerCa({ workerCaFile }: Pick<WorkersConfig, 'workerCaFile'>): string | undefined {
  return workerCaFile === undefined ? undefined : certificatesOf('workerCaFile', workerCaFile);
}

/** What a worker proves itself with; undefined: it speaks plain HTTP. @throws ConfigError */
export function readWorkerTls({ workerCertFile, workerKeyFile }: Pick<WorkersConfig, 'workerCertFile' | 'workerKeyFile'>) {
  if (workerCertFile === undefined || workerKeyFile === undefined) return undefined;
  const cert = certificatesOf('workerCertFile', workerCertFile);
  const key = textOf('workerKeyFile', workerKeyFile);
  const isItsKey = parsed('workerKeyFile', workerKeyFile, () => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)));
  if (!isItsKey)
    throw wrong(
      'workerKeyFile',
      workerKeyFile,
      `the key of the certificate in ${parameters.workerCertFile.variable}`,
      'correct one of the two',
    );
  return { cert, key };
}

function certificatesOf(name: FileName, file: string): string {
  const pem = textOf(name, file);
  parsed(name, file, () => new X509Certificate(pem));
  return pem;
}

function textOf(name: FileName, file: string): string {
  return parsed(name, file, () => readFileSync(file, 'utf8'));
}

function parsed<T>(name: FileName, file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw wrong(name, file, `${parameters[name].rule} (${reasonOf(error)})`, 'correct it');
  }
}

function wrong(name: FileName, value: string, rule: string, mend: string): ConfigError {
  return new ConfigError([{ option: parameters[name].variable, value, rule, mend }]);
}
