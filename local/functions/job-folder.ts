import { existsSync, mkdtempSync, readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'onceflow-job-';
/** Its owner listens here for as long as it lives: so others can tell a folder that is in use from one that was left. */
const OWNER_SOCKET = 'owner.sock';
/** Between making the socket and listening on it. */
const BEING_MADE_MS = 10_000;

export interface JobFolder {
  readonly path: string;
  remove(): void;
}

/** A folder for the sockets of a job's functions. Those of jobs whose processes were all killed at once are removed first. */
export async function makeJobFolder(): Promise<JobFolder> {
  await removeLeftFolders();
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  const owner = createServer((socket) => socket.destroy());
  owner.unref();
  await new Promise<void>((resolve, reject) => {
    owner.once('error', reject);
    owner.listen(join(path, OWNER_SOCKET), resolve);
  });
  return {
    path,
    remove() {
      owner.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** For a function whose parent has gone: the last one to go leaves nothing. */
export function leaveJobFolder(path: string, ownSocket: string): void {
  for (const file of [ownSocket, join(path, OWNER_SOCKET)]) rmSync(file, { force: true });
  if (existsSync(path) && readdirSync(path).length === 0) rmSync(path, { recursive: true, force: true });
}

async function removeLeftFolders(): Promise<void> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(
    folders.map(async (name) => {
      const path = join(tmpdir(), name);
      const socket = join(path, OWNER_SOCKET);
      const made = lookAt(socket);
      if (made === undefined || made.uid !== process.getuid?.() || Date.now() - made.mtimeMs < BEING_MADE_MS) return;
      if (!(await listens(socket))) rmSync(path, { recursive: true, force: true });
    }),
  );
}

/** Undefined also of what cannot be looked into: each user's folder is closed to the others of the machine. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => answer(code !== 'ENOENT' && code !== 'ECONNREFUSED'));
  });
}
