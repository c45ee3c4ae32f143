import { createHash } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runProgram } from '../run-program.ts';

const SAY_EVERY_MS = 2_000;

/**
 * Brings the libraries of a Kafka release from its archive, checked against the sum that is published beside it.
 *
 * @param url of the archive; `.sha512` behind it has the sum, as GnuPG prints it
 * @param libs the folder for the libraries, which is there
 * @throws Error saying what failed and where
 */
export async function fetchArchive(url: string, libs: string, say: (line: string) => void): Promise<void> {
  const archive = join(libs, '../archive.tgz');
  try {
    const wanted = sumIn(await (await get(`${url}.sha512`)).text());
    const sum = await download(url, archive, say);
    if (sum !== wanted) throw new Error(`${url} is not what its .sha512 says: it was damaged on the way`);
    // `kafka_2.13-4.3.1/libs/…`
    await runProgram('tar', ['-xzf', archive, '-C', libs, '--strip-components', '2', '--wildcards', '*/libs/*.jar']).catch(() =>
      // A tar that matches patterns without being told.
      runProgram('tar', ['-xzf', archive, '-C', libs, '--strip-components', '2', '*/libs/*.jar']),
    );
  } finally {
    rmSync(archive, { force: true });
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url).catch((error: Error) => {
    throw new Error(`${url} cannot be reached: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  });
  if (!response.ok || response.body === null) throw new Error(`${url} was answered ${response.status} ${response.statusText}`);
  return response;
}

async function download(url: string, file: string, say: (line: string) => void): Promise<string> {
  const response = await get(url);
  const hash = createHash('sha512');
  const all = Number(response.headers.get('content-length') ?? 0);
  let bytes = 0;
  const progress = setInterval(
    () => say(`downloading Kafka: ${megabytes(bytes)}${all > 0 ? ` of ${megabytes(all)}` : ''} MB`),
    SAY_EVERY_MS,
  );
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(response.body as import('node:stream/web').ReadableStream), counted, createWriteStream(file));
  } catch (error) {
    throw new Error(`${url} broke off after ${megabytes(bytes)} MB: ${(error as Error).message}`);
  } finally {
    clearInterval(progress);
  }
  return hash.digest('hex');
}

/** `kafka_2.13-4.3.1.tgz: 00722AB0 A6B954E0 …` over several lines, or `00722ab0…  kafka_2.13-4.3.1.tgz`. */
function sumIn(text: string): string {
  return (/[0-9A-Fa-f\s]{128,}/.exec(text.replace(/^[^\s:]*:/, ''))?.[0] ?? '').replaceAll(/\s/g, '').toLowerCase().slice(0, 128);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
