/** Where lines about slow work go. */
export type Report = (line: string) => void;

const QUIET_MS = 2_000;
const REPEAT_MS = 5_000;

/** Says what is being waited for once it takes more than 2 s, and again every 5 s; quick work says nothing. */
export async function withProgress<T>(what: string, report: Report, work: Promise<T>): Promise<T> {
  const startedAt = Date.now();
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(1);
  let repeat: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    report(`${what} …`);
    repeat = setInterval(() => report(`${what} … ${seconds()} s`), REPEAT_MS);
  }, QUIET_MS);
  try {
    const result = await work;
    if (repeat !== undefined) report(`${what}: done in ${seconds()} s`);
    return result;
  } finally {
    clearTimeout(first);
    clearInterval(repeat);
  }
}
