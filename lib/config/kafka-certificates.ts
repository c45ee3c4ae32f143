import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from './fault.ts';
import { type ClusterConfig, parameters } from './parameters.ts';

/**
 * The certificates in the file of ONCEFLOW_KAFKA_CA_FILE, as PEM; undefined when it is not set.
 *
 * @param option how the parameter is called; that of another cluster has another name
 *
 * @throws ConfigError when the file cannot be read or holds no certificate.
 */
export function readCertificates(
  { kafkaCaFile }: Pick<ClusterConfig, 'kafkaCaFile'>,
  option: string = parameters.kafkaCaFile.variable,
): string | undefined {
  if (kafkaCaFile === undefined) return undefined;
  try {
    const pem = readFileSync(kafkaCaFile, 'utf8');
    // Refuses what is no certificate; of several the first.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const rule = `${parameters.kafkaCaFile.rule} (${error instanceof Error ? error.message : String(error)})`;
    throw new ConfigError([{ option, value: kafkaCaFile, rule, mend: 'correct it, or put the certificates there' }]);
  }
}
