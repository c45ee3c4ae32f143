import { HEALTH_PATH } from '../lib/workers/words.ts';
import { answer, answerMetrics, type Listening, listen } from './http.ts';

export interface StatusServer {
  readonly address: string;
  close(): void;
}

/** What probes and Prometheus ask `onceflow run`. It answers, so it is alive: whether it works or stands by is no matter of a probe. */
export async function serveStatus(
  where: Listening,
  job: { readonly job: string; readonly build: string },
  metrics: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined,
): Promise<StatusServer> {
  const { createServer } = await import('node:http');
  const server = createServer(({ method, url }, response) => {
    if (method === 'GET' && url === HEALTH_PATH) return answer(response, 200, JSON.stringify({ status: 'ok', ...job }), 'application/json');
    if (method === 'GET' && url === '/metrics') return void answerMetrics(response, metrics);
    answer(response, 404, 'there are /health and /metrics');
  });
  const address = await listen(server, where, 'http');
  return {
    address,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
