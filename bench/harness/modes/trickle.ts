import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import { committedOffsets, filesSince } from '../arena.ts';
import { difference, startCountingProxy } from '../counting-proxy.ts';
import { startProbe } from '../probe.ts';
import { startMeter } from '../processes.ts';
import { cpuBetween, type ModeOf, mustRun, pause } from '../run.ts';

const WARM_UP_MS = 2_000;
/** After the last record: its epochs have been retired and cleared away, and the job has seen that there is no more. */
const CALM_MS = 15_000;
const READS = new Set(['GetItem', 'Query', 'GET blob', 'HEAD blob']);

/** One record, wait for its result, the next record: epochs of one record each. Then none: what an idle job writes. */
export const trickleMode: ModeOf = {
  peers: ['onceflow'],
  intervalMs: 10,
  setting: ({ seconds, idleSeconds, partitions, parallelism, blobs }) => ({ seconds, idleSeconds, partitions, parallelism, blobs }),
  shape: () => 'words',
  async measure(run) {
    const { arena, options, input, output } = run;
    const proxy = await startCountingProxy(arena.emulatorEndpoint);
    try {
      const program = await run.start({ emulatorEndpoint: proxy.endpoint });
      const meter = startMeter(program.session);
      try {
        const ping = startProbe(['ping', arena.bootstrap, input, output, options.seconds, WARM_UP_MS]);
        await ping.next('the first result', ({ first }) => first !== undefined);
        await ping.next('the end of the warm-up', ({ counting }) => counting !== undefined);
        const beforePings = proxy.counts();
        const before = meter.at(Date.now());
        const { counted, p50, p99 } = await ping.done;
        const cpuSeconds = cpuBetween(before, meter.at(Date.now()));
        const epochs = Number(counted);
        const requests = difference(beforePings, proxy.counts());

        await pause(CALM_MS);
        const idleFromMs = Date.now();
        const idleBefore = { requests: proxy.counts(), kafka: await kafkaRecords(arena.kafka, output), usage: meter.at(Date.now()) };
        await pause(options.idleSeconds * 1000);
        mustRun(program);
        const idleRequests = difference(idleBefore.requests, proxy.counts());
        const idleKafka = (await kafkaRecords(arena.kafka, output)) - idleBefore.kafka;
        const files = filesSince(arena.work, idleFromMs);
        const writes = Object.entries(idleRequests).filter(([kind]) => kind !== 'lease renewal' && !READS.has(kind));
        return {
          metrics: {
            epochsPerSecond: epochs / options.seconds,
            p50Ms: Number(p50),
            p99Ms: Number(p99),
            cpuSeconds,
            requestsPerEpoch: sum(Object.values(requests)) / epochs,
            idleWrites: sum(writes.map(([, count]) => count)) + idleKafka + files,
            idleLeaseRenewals: idleRequests['lease renewal'] ?? 0,
            idleCpuSeconds: cpuBetween(idleBefore.usage, meter.at(Date.now())),
          },
          details: { requests, idleRequests, idleKafkaRecords: idleKafka, idleFiles: files },
        };
      } finally {
        meter.stop();
      }
    } finally {
      proxy.close();
    }
  },
};

/** Records of the output, of transactions and of groups. */
async function kafkaRecords(kafka: KafkaRequests, output: string): Promise<number> {
  let records = 0;
  for (const topic of [output, '__transaction_state', '__consumer_offsets']) records += await committedOffsets(kafka, topic);
  return records;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
