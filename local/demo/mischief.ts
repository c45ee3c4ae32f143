import { setTimeout as sleep } from 'node:timers/promises';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import { transactionalId } from '../../lib/sinks/kafka/ids.ts';
import type { RunningJob } from '../functions/run-job.ts';

const ZOMBIE_TRANSACTION_TIMEOUT_MS = 60_000;
/** A sink that waits for a decision that does not come is let go. */
const LONGEST_STOP_MS = 1_000;

/** Kills function processes of the job at random moments, spread over `seconds`. */
export async function killAtRandom(
  job: RunningJob,
  kills: number,
  seconds: number,
  tell: (name: string, pid: number) => void,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await sleep((seconds * 1000 * (kill === 0 ? Math.random() : 1)) / kills);
    const alive = [...job.processes()];
    const [name, pid] = alive[Math.floor(Math.random() * alive.length)] ?? [];
    if (name === undefined || pid === undefined) continue;
    tell(name, pid);
    process.kill(pid, 'SIGKILL');
  }
}

export interface Zombie {
  /** Acts at the next chance, and again until a decided transaction was really lost. */
  arm(): void;
  take(event: CoordinatorEvent): void;
}

/**
 * What a sink attempt does that was forgotten and wakes up at the worst moment: it fences the transaction of an epoch that
 * is decided and not committed yet, so that the broker aborts it. The sink is stopped for some milliseconds, because
 * otherwise the commit would be over by then.
 */
export function createZombie(
  job: string,
  sink: string,
  kafka: KafkaRequests,
  sinkPid: () => number | undefined,
  tell: (what: string) => void,
): Zombie {
  let armed = false;
  let incarnation = '';
  let epoch = -1;
  let letGo = () => {};

  function stop(of: number): void {
    const pid = sinkPid();
    if (pid === undefined) return;
    epoch = of;
    process.kill(pid, 'SIGSTOP');
    const patience = setTimeout(() => letGo(), LONGEST_STOP_MS);
    letGo = () => {
      clearTimeout(patience);
      letGo = () => {};
      // Killed meanwhile by somebody else: then nothing is stopped.
      if (sinkPid() === pid) process.kill(pid, 'SIGCONT');
    };
  }

  async function fence(): Promise<void> {
    const id = transactionalId({ job, incarnation, sink, subtask: 0 }, epoch, []);
    await kafka.initProducerId(id, ZOMBIE_TRANSACTION_TIMEOUT_MS);
    tell(`a zombie fences the transaction of epoch ${epoch}, which is decided and not committed: the broker aborts it`);
    letGo();
  }

  return {
    arm() {
      armed = true;
    },
    take(event) {
      if (event.event === 'lease-taken') incarnation = event.incarnation;
      if (!armed) return;
      if (event.event === 'stage-done' && event.stage === sink) stop(event.epoch);
      if (event.event === 'decided' && event.epoch === epoch) void fence();
      if (event.event === 'doubtful' && event.epoch === epoch) armed = false;
    },
  };
}
