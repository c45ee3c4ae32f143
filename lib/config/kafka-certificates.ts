import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from './fault.ts';
import { type Config, parameters } from './parameters.ts';

/**
 * The certificates in the file of ONCEFLOW_KAFKA_CA_FILE, as PEM; undefined when it is not set.
 *
 * @throws ConfigError when the file cannot be read or holds no certificate.
 */
export function readCertificates({ kafkaCaFile }: Pick<Config, 'kafkaCaFile'>): string | undefined {
  if (kafkaCaFile === undefined) return undefined;
  try {
    const pem = readFileSync(kafkaCaFile, 'utf8');
    // Refuses what is no certificate; of several the first.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const rule = `${parameters.kafkaCaFile.rule} (${error instanceof Error ? error.message : String(error)})`;
    throw new ConfigError([
      { option: parameters.kafkaCaFile.variable, value: kafkaCaFile, rule, mend: 'correct it, or put the certificates there' },
    ]);
  }
}
