import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readToolConfig } from '../../../lib/config/read-config.ts';
import { parseWorkerUrl } from '../../../lib/config/worker-url.ts';
import { readTokens, readWorkerCa, readWorkerTls } from '../../../lib/workers/files.ts';
import { anotherAuthority, testCertificate, testKey } from '../kafka/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'onceflow-workers-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const message = (env: Readonly<Record<string, string>>) => {
  try {
    readToolConfig(env);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('ONCEFLOW_WORKERS', () => {
  it('are addresses with commas between', () => {
    const { workers } = readToolConfig({ ONCEFLOW_WORKERS: 'http://127.0.0.1:8081, http://localhost:8082/,http://[::1]:8083' });
    expect(workers?.map(({ origin }) => origin)).toEqual(['http://127.0.0.1:8081', 'http://localhost:8082', 'http://[::1]:8083']);
  });

  it.each([
    'worker:8080',
    'ftp://worker',
    'http://',
    'https://u:p@worker',
    'https://worker/path',
    'https://worker?x',
    'http://127.0.0.1:99999',
    'http://localhost:1,http://localhost:1',
    '',
  ])('that are %s are none', (text) => {
    const said = message({ ONCEFLOW_WORKERS: `${text},http://127.0.0.1:1` });
    expect(said).toContain('ONCEFLOW_WORKERS is');
    expect(said).toContain('it must be http://host:port or https://host:port');
  });

  it('on another machine have to be https, or token and records would be in plain text on the network', () => {
    expect(message({ ONCEFLOW_WORKERS: 'http://10.0.0.7:8080', ONCEFLOW_WORKER_TOKEN_FILE: '/token' })).toBe(
      'wrong configuration: ONCEFLOW_WORKERS is "http://10.0.0.7:8080": it must be https for a worker on another machine: token and records would be in plain text on the network; give the worker ONCEFLOW_WORKER_CERT_FILE and ONCEFLOW_WORKER_KEY_FILE, and write https here',
    );
    expect(message({ ONCEFLOW_WORKERS: 'http://127.0.0.1:8080', ONCEFLOW_WORKER_TOKEN_FILE: '/token' })).toBeUndefined();
    expect(parseWorkerUrl('http://127.evil.example:1')?.isLoopback).toBe(false);
  });

  it('on another machine need ONCEFLOW_WORKER_TOKEN_FILE', () => {
    expect(message({ ONCEFLOW_WORKERS: 'https://worker-1:8443' })).toContain(
      'ONCEFLOW_WORKER_TOKEN_FILE is not set: it must be a file with the token of the workers, because https://worker-1:8443 (ONCEFLOW_WORKERS) is another machine',
    );
    expect(message({ ONCEFLOW_WORKERS: 'https://worker-1:8443', ONCEFLOW_WORKER_TOKEN_FILE: '/token' })).toBeUndefined();
  });
});

describe('the files of workers', () => {
  it('ONCEFLOW_WORKER_TOKEN_FILE has a token a line, or is refused by name', () => {
    const workerTokenFile = file('tokens', 'first-token-of-two-tokens\nsecond-token-of-two-tokens\n');
    expect(readTokens({ workerTokenFile })).toEqual(['first-token-of-two-tokens', 'second-token-of-two-tokens']);
    expect(readTokens({ workerTokenFile: undefined })).toEqual([]);
    expect(() => readTokens({ workerTokenFile: file('short', 'secret') })).toThrow(
      /ONCEFLOW_WORKER_TOKEN_FILE is ".*short": it must be a file with a token a line, each of 16 to 512/,
    );
    expect(() => readTokens({ workerTokenFile: join(folder, 'nowhere') })).toThrow(/ONCEFLOW_WORKER_TOKEN_FILE is ".*nowhere": .*ENOENT/);
  });

  it('ONCEFLOW_WORKER_CERT_FILE and ONCEFLOW_WORKER_KEY_FILE belong together', () => {
    const [workerCertFile, workerKeyFile] = [file('worker.pem', testCertificate), file('worker.key', testKey)];
    expect(readWorkerTls({ workerCertFile, workerKeyFile })).toEqual({ cert: testCertificate, key: testKey });
    expect(readWorkerTls({ workerCertFile: undefined, workerKeyFile: undefined })).toBeUndefined();
    expect(() => readWorkerTls({ workerCertFile: file('other.pem', anotherAuthority), workerKeyFile })).toThrow(
      /ONCEFLOW_WORKER_KEY_FILE is ".*worker.key": it must be the key of the certificate in ONCEFLOW_WORKER_CERT_FILE/,
    );
    expect(() => readWorkerTls({ workerCertFile: workerKeyFile, workerKeyFile })).toThrow(/ONCEFLOW_WORKER_CERT_FILE is/);
    expect(() => readWorkerTls({ workerCertFile, workerKeyFile: workerCertFile })).toThrow(/ONCEFLOW_WORKER_KEY_FILE is/);
    expect(message({ ONCEFLOW_WORKER_CERT_FILE: '/c' })).toContain('ONCEFLOW_WORKER_KEY_FILE is not set');
    expect(message({ ONCEFLOW_WORKER_KEY_FILE: '/k' })).toContain('ONCEFLOW_WORKER_CERT_FILE is not set');
  });

  it('ONCEFLOW_WORKER_CA_FILE has certificates, and is of no use without https', () => {
    expect(readWorkerCa({ workerCaFile: file('ca.pem', testCertificate) })).toBe(testCertificate);
    expect(() => readWorkerCa({ workerCaFile: file('none', 'nothing') })).toThrow(/ONCEFLOW_WORKER_CA_FILE is ".*none"/);
    expect(message({ ONCEFLOW_WORKER_CA_FILE: '/ca', ONCEFLOW_WORKERS: 'http://127.0.0.1:1' })).toContain(
      'ONCEFLOW_WORKER_CA_FILE is "/ca": it must be unset without a worker at https',
    );
  });
});
