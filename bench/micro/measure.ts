const ROUNDS = 300;
const onlyNames = process.argv[2] ?? '';

/** Prints nanoseconds a unit, and megabytes a second unless `bytesPerRound` is 0: the best of many rounds, short enough that some are not interrupted. */
export function measure(name: string, unitsPerRound: number, bytesPerRound: number, run: () => void, rounds: number = ROUNDS): void {
  if (!name.includes(onlyNames)) return;
  for (let warmUp = 0; warmUp < Math.min(20, rounds); warmUp++) run();
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startedNs = process.hrtime.bigint();
    run();
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - startedNs));
  }
  const speed = bytesPerRound === 0 ? '' : `${((bytesPerRound / bestNs) * 1000).toFixed(0).padStart(8)} MB/s`;
  console.log(`${name.padEnd(58)} ${(bestNs / unitsPerRound).toFixed(1).padStart(9)} ns ${speed}`);
}
